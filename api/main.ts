import { ConsoleLogger } from '@nestjs/common';
import { openArtifactStore } from '../infra/artifacts/open-artifact-store.js';
import { PROCESS_VARIABLES, readEnvironment } from '../infra/config/environment.js';
import { loadOperatorFile } from '../infra/config/operator-file.js';
import { runSettings } from '../infra/config/run-settings.js';
import { createDataSource, migrate } from '../infra/database/data-source.js';
import { keepOutputHarmless } from '../infra/processes/harmless-output.js';
import { holdLifeline } from '../infra/processes/lifeline.js';
import { createApp } from './app.js';
import { createTemporalClient } from './temporal/connect.js';
import { Workflows } from './temporal/workflows.js';

const HOST = '127.0.0.1';
/** A database that has fallen silent does not confirm the end of a connection. */
const STOP_MS = 10_000;
const logger = new ConsoleLogger({ json: true, colors: false });

async function main(): Promise<void> {
  const env = readEnvironment(PROCESS_VARIABLES.api);
  const operator = loadOperatorFile(env.AGENTFLOW_OPERATOR_FILE);
  await migrate(env.DATABASE_URL);
  const dataSource = await createDataSource(env.DATABASE_URL, 'api').initialize();
  const { client, connection } = createTemporalClient();
  const workflows = new Workflows(client, connection, runSettings(operator));
  const artifacts = openArtifactStore(env.AGENTFLOW_ARTIFACTS);
  const policyServer = process.env['AGENTFLOW_POLICY_SERVER_URL']
    ? readEnvironment(['AGENTFLOW_POLICY_SERVER_URL']).AGENTFLOW_POLICY_SERVER_URL
    : undefined;
  const app = await createApp({ dataSource, workflows, artifacts, operator, policyServer }, { logger });

  const stop = async (): Promise<void> => {
    setTimeout(() => fail(new Error(`The API did not come to its end within ${STOP_MS} ms.`)), STOP_MS).unref();
    await app.close();
    await connection.close();
    await dataSource.destroy();
  };
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => void stop().then(exit, fail));

  await app.listen(env.AGENTFLOW_API_PORT, HOST);
  logger.log(`The API listens on http://${HOST}:${env.AGENTFLOW_API_PORT}`, 'main');
}

function exit(): void {
  process.exit(0);
}

function fail(error: unknown): void {
  logger.error(error, 'main');
  process.exit(1);
}

keepOutputHarmless();
holdLifeline();
await main().catch(fail);
