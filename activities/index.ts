import type { DataSource } from 'typeorm';
import type { ArtifactStore } from '../infra/artifacts/artifact-store.js';
import type { OperatorFile } from '../infra/config/operator-file.js';
import type { DatasetRegistrations } from '../infra/config/operator/datasets.js';
import type { WebToolSettings } from '../infra/config/operator/web-tools.js';
import { writeExportStatus } from '../infra/database/export-status.js';
import { writeFlowStatus } from '../infra/database/flow-status.js';
import type { AgentActivities } from '../contracts/agent-activities.js';
import type { SetExportStatusInput } from '../contracts/policy-export.js';
import type { SetFlowStatusInput } from '../contracts/submitted-flow.js';
import { createBenchmarkEvaluationActivities } from './evaluations/benchmark-evaluation.activities.js';
import { createDatasetActivities } from './datasets/dataset.activities.js';
import { createTruthSource } from './datasets/ground-truth.js';
import { ItemStore } from './datasets/items/item-store.js';
import { Datasets } from './datasets/registry.js';
import { createUploadActivities, uploadOpener } from './datasets/uploads/upload.activities.js';
import { createImageReader } from './engines/llm/image-reader.js';
import { LanguageModels, type LanguageModelRegistrations } from './engines/llm/language-models.js';
import { createQueueActivities } from './engines/llm/queue.activities.js';
import type { PolicyClient } from './engines/policy-client.js';
import { redactingErrors } from './failures/redacting-errors.js';
import { createModuleActivities } from './modules/module.activities.js';
import { withIdentityCheck } from './runs/identity-check.js';
import { resolveIdentity } from './runs/identity.js';
import { createRunActivities } from './runs/run.activities.js';
import { LlmJudge } from './scoring/judge/llm-judge.js';
import { createScoringActivities } from './scoring/scoring.activities.js';
import { createTools } from './tools/index.js';
import type { OperatorTools } from './tools/operator-tools.js';
import { ToolCallNotes } from './trajectories/tool-call-notes.js';
import { createTrajectoryActivities } from './trajectories/trajectory.activities.js';
import { TurnStore } from './trajectories/turn-store.js';
import { createWebhookActivities } from './webhooks/webhook.activities.js';

export interface AgentDependencies {
  /** Connected. */
  dataSource: DataSource;
  artifacts: ArtifactStore;
  policyClient: PolicyClient;
  /** What the operator registered. */
  datasets: DatasetRegistrations;
  languageModels: LanguageModelRegistrations;
  webTools?: WebToolSettings;
  /** What the operator registered of the sandbox, MCP servers and user tools. */
  operatorTools?: Pick<OperatorTools, 'tools' | 'sources'>;
  /** What webhooks may reach; public addresses if absent. */
  webhooks?: OperatorFile['webhooks'];
}

/** Every activity of the agent worker. */
export function createAgentActivities({
  dataSource,
  artifacts,
  policyClient,
  datasets: registrations,
  languageModels: registeredModels,
  webTools,
  operatorTools,
  webhooks = { addresses: [] },
}: AgentDependencies): AgentActivities {
  const items = new ItemStore(registrations, uploadOpener(dataSource, artifacts));
  const datasets = new Datasets(items);
  const tools = createTools(webTools, operatorTools);
  const models = {
    dataSource,
    policyClient,
    languageModels: LanguageModels.open(registeredModels, createImageReader(artifacts)),
  };
  const turns = new TurnStore(dataSource);
  const activities = {
    ...createDatasetActivities(datasets),
    ...createModuleActivities({ turns, tools, toolCalls: new ToolCallNotes(dataSource), models }),
    ...createScoringActivities({
      truthOf: createTruthSource(items),
      judge: new LlmJudge(turns, models),
    }),
    ...createTrajectoryActivities({ dataSource, artifacts }),
    ...createBenchmarkEvaluationActivities(dataSource),
    ...createRunActivities({ dataSource, tools, datasets }),
    setFlowStatus: async (input: SetFlowStatusInput) => void (await writeFlowStatus(dataSource, input)),
    setExportStatus: (input: SetExportStatusInput) => writeExportStatus(dataSource, input),
    ...createQueueActivities(registeredModels.providers),
    ...createUploadActivities({ dataSource, artifacts }),
    ...createWebhookActivities(dataSource, webhooks),
  };
  return redactingErrors(
    withIdentityCheck(activities, dataSource, ({ config }) => resolveIdentity(config, tools, datasets, dataSource)),
  );
}
