import { ConsoleLogger } from '@nestjs/common';
import { openArtifactStore } from '../infra/artifacts/open-artifact-store.js';
import { readEnvironment } from '../infra/config/environment.js';
import { loadOperatorFile } from '../infra/config/operator-file.js';
import { runSettings } from '../infra/config/run-settings.js';
import { createDataSource, migrate } from '../infra/database/data-source.js';
import { createApp } from './app.js';
import { createTemporalClient } from './temporal/connect.js';
import { EvaluationWorkflows } from './temporal/evaluation-workflows.js';
import { FlowWorkflows } from './temporal/flow-workflows.js';
import { RunWorkflows } from './temporal/run-workflows.js';

const HOST = '127.0.0.1';
const logger = new ConsoleLogger({ json: true, colors: false });

async function main(): Promise<void> {
  const env = readEnvironment(['DATABASE_URL', 'AGENTFLOW_API_PORT', 'AGENTFLOW_ARTIFACTS', 'AGENTFLOW_OPERATOR_FILE']);
  const operator = loadOperatorFile(env.AGENTFLOW_OPERATOR_FILE);
  await migrate(env.DATABASE_URL);
  const dataSource = await createDataSource(env.DATABASE_URL).initialize();
  const { client, connection } = createTemporalClient();
  const settings = runSettings(operator);
  const workflows = new RunWorkflows(client, connection, settings);
  const flows = new FlowWorkflows(client, connection, settings);
  const evaluations = new EvaluationWorkflows(client, connection, settings);
  const artifacts = openArtifactStore(env.AGENTFLOW_ARTIFACTS);
  const app = await createApp({ dataSource, workflows, flows, evaluations, artifacts, operator }, { logger });

  const stop = async (): Promise<void> => {
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

await main().catch(fail);
