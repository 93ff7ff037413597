import { writeFile } from 'node:fs/promises';
import { openArtifactStore } from '../../infra/artifacts/open-artifact-store.js';
import { loadOperatorFile } from '../../infra/config/operator-file.js';
import { readEnvironment } from '../../infra/config/environment.js';
import { runSettings } from '../../infra/config/run-settings.js';
import { createDataSource } from '../../infra/database/data-source.js';
import { createApp } from '../app.js';
import { createTemporalClient } from '../temporal/connect.js';
import { Workflows } from '../temporal/workflows.js';
import { createOpenApi, formatOpenApi, OPENAPI_FILE } from './openapi.js';

/** Writes docs/openapi.json from the routes. Connects to nothing: an app that does not listen runs no query. */
const operator = loadOperatorFile(readEnvironment(['AGENTFLOW_OPERATOR_FILE']).AGENTFLOW_OPERATOR_FILE);
const settings = runSettings(operator);
const { client, connection } = createTemporalClient();
const app = await createApp(
  {
    dataSource: createDataSource('postgres://127.0.0.1/unused', 'command'),
    workflows: new Workflows(client, connection, settings),
    artifacts: openArtifactStore('file:///unused'),
    operator,
    policyServer: 'http://127.0.0.1',
  },
  { logger: false },
);
await writeFile(OPENAPI_FILE, formatOpenApi(createOpenApi(app)));
