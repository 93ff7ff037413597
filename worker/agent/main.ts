import { fileURLToPath } from 'node:url';
import { createAgentActivities } from '../../activities/index.js';
import { submittedFlowsOnly } from '../../activities/flows/submitted-flows.js';
import { openPolicyClient } from '../../activities/engines/open-policy-client.js';
import { ReplyCache } from '../../activities/engines/reply-cache.js';
import { describeTools } from '../../activities/tools/describe-tools.js';
import { createTools } from '../../activities/tools/index.js';
import { openOperatorTools } from '../../activities/tools/operator-tools.js';
import { openArtifactStore } from '../../infra/artifacts/open-artifact-store.js';
import { PROCESS_VARIABLES, readEnvironment } from '../../infra/config/environment.js';
import { loadOperatorFile } from '../../infra/config/operator-file.js';
import { readWebToolSettings } from '../../infra/config/operator/web-tools.js';
import { readSecretsIn } from '../../infra/config/secrets.js';
import { createDataSource } from '../../infra/database/data-source.js';
import { keepOutputHarmless } from '../../infra/processes/harmless-output.js';
import { holdLifeline } from '../../infra/processes/lifeline.js';
import { redactOutput } from '../../infra/redaction/redact-output.js';
import { connectWorker } from '../../infra/temporal/connection.js';
import { ensureSearchAttributes } from '../../infra/temporal/search-attributes.js';
import { createAgentWorkers, runTogether } from './agent-workers.js';
import { Presence } from './presence.js';

/** A turn's row is one short query: far fewer connections than calls are open. */
const DATABASE_POOL = 16;
/** Between two tellings of what the tools say of themselves: those of an MCP server change, or come later. */
const MINUTE_MS = 60_000;
/** Between two looks at how many replies are cached. */
const HOUR_MS = 3_600_000;

keepOutputHarmless();
redactOutput();
holdLifeline();
const environment = readEnvironment(PROCESS_VARIABLES.agentWorker);
const operator = loadOperatorFile(environment.AGENTFLOW_OPERATOR_FILE);
readSecretsIn(operator);
const policyClient = await openPolicyClient(operator, {
  url: environment.AGENTFLOW_POLICY_SERVER_URL,
  key: environment.AGENTFLOW_POLICY_SERVER_KEY,
  artifacts: environment.AGENTFLOW_ARTIFACTS,
  onRetry: (error) => console.warn(error.message),
});
const dataSource = await createDataSource(environment.DATABASE_URL, 'agent-worker', DATABASE_POOL).initialize();
const trimReplies = setInterval(
  () => void new ReplyCache(dataSource).trim().catch((error: Error) => console.warn(error.message)),
  HOUR_MS,
);
const { connection, namespace } = await connectWorker({ onRetry: (error) => console.warn(error.message) });
await ensureSearchAttributes(connection, namespace);
// Code and servers of the operator, which may repeat a key: only now are all of them known, Temporal's too.
const operatorTools = await openOperatorTools(operator, environment.AGENTFLOW_CACHE, (error) =>
  console.warn(error.message),
);
const webTools = readWebToolSettings(operator);
const tools = createTools(webTools, operatorTools);
const tellTools = async (): Promise<void> => {
  await describeTools(dataSource, tools, operator.tools).catch((error: Error) => console.warn(error.message));
};
await tellTools();
const toolsTold = setInterval(() => void tellTools(), MINUTE_MS);
const presence = new Presence(dataSource);

const workers = await createAgentWorkers({
  connection,
  namespace,
  workflowsPath: fileURLToPath(new URL('../../workflows/index.js', import.meta.url)),
  activities: submittedFlowsOnly(
    createAgentActivities({
      dataSource,
      artifacts: openArtifactStore(environment.AGENTFLOW_ARTIFACTS),
      policyClient,
      datasets: operator.datasets,
      languageModels: operator,
      webTools,
      operatorTools,
      webhooks: operator.webhooks,
    }),
    dataSource,
  ),
  providers: operator.providers,
});
try {
  presence.begin();
  await runTogether(workers);
} catch (error) {
  // At once: what is open may never end, and the supervisor starts another worker only when this one is gone.
  console.error(error);
  process.exit(1);
} finally {
  clearInterval(trimReplies);
  clearInterval(toolsTold);
  await presence.end();
  await operatorTools.close();
  await dataSource.destroy();
  await connection.close();
}
