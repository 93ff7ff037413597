import { fileURLToPath } from 'node:url';
import { createAgentActivities } from '../../activities/index.js';
import { openPolicyClient } from '../../activities/engines/open-policy-client.js';
import { openOperatorTools } from '../../activities/tools/operator-tools.js';
import { openArtifactStore } from '../../infra/artifacts/open-artifact-store.js';
import { readEnvironment } from '../../infra/config/environment.js';
import { loadOperatorFile } from '../../infra/config/operator-file.js';
import { readWebToolSettings } from '../../infra/config/operator/web-tools.js';
import { createDataSource } from '../../infra/database/data-source.js';
import { connectWorker } from '../../infra/temporal/connection.js';
import { ensureSearchAttributes } from '../../infra/temporal/search-attributes.js';
import { createAgentWorkers, runTogether } from './agent-workers.js';

/** A turn's row is one short query: far fewer connections than calls are open. */
const DATABASE_POOL = 16;

const environment = readEnvironment([
  'DATABASE_URL',
  'AGENTFLOW_ARTIFACTS',
  'AGENTFLOW_CACHE',
  'AGENTFLOW_OPERATOR_FILE',
  'AGENTFLOW_POLICY_SERVER_KEY',
  'AGENTFLOW_POLICY_SERVER_URL',
]);
const operator = loadOperatorFile(environment.AGENTFLOW_OPERATOR_FILE);
const policyClient = await openPolicyClient(operator, {
  url: environment.AGENTFLOW_POLICY_SERVER_URL,
  key: environment.AGENTFLOW_POLICY_SERVER_KEY,
  artifacts: environment.AGENTFLOW_ARTIFACTS,
  onRetry: (error) => console.warn(error.message),
});
const operatorTools = await openOperatorTools(operator, environment.AGENTFLOW_CACHE, (error) =>
  console.warn(error.message),
);
const dataSource = await createDataSource(environment.DATABASE_URL, DATABASE_POOL).initialize();
const { connection, namespace } = await connectWorker({ onRetry: (error) => console.warn(error.message) });
await ensureSearchAttributes(connection, namespace);

const workers = await createAgentWorkers({
  connection,
  namespace,
  workflowsPath: fileURLToPath(new URL('../../workflows/index.js', import.meta.url)),
  activities: createAgentActivities({
    dataSource,
    artifacts: openArtifactStore(environment.AGENTFLOW_ARTIFACTS),
    policyClient,
    datasets: operator.datasets,
    languageModels: operator,
    webTools: readWebToolSettings(operator),
    operatorTools,
  }),
  providers: operator.providers,
});
try {
  await runTogether(workers);
} finally {
  await operatorTools.close();
  await dataSource.destroy();
  await connection.close();
}
