import type { DataSource } from 'typeorm';
import type { ArtifactStore } from '../infra/artifacts/artifact-store.js';
import type { AgentActivities } from '../workflows/contracts/agent-activities.js';
import { createDatasetActivities } from './datasets/dataset.activities.js';
import type { PolicyClient } from './engines/policy-client.js';
import { redactingErrors } from './failures/redacting-errors.js';
import { createModuleActivities } from './modules/module.activities.js';
import { createRunActivities } from './runs/run.activities.js';
import { createScoringActivities } from './scoring/scoring.activities.js';
import { createTools } from './tools/index.js';
import { createTrajectoryActivities } from './trajectories/trajectory.activities.js';
import { TurnStore } from './trajectories/turn-store.js';

export interface AgentDependencies {
  /** Connected. */
  dataSource: DataSource;
  artifacts: ArtifactStore;
  policyClient: PolicyClient;
}

/** Every activity of the agent worker. */
export function createAgentActivities({ dataSource, artifacts, policyClient }: AgentDependencies): AgentActivities {
  const tools = createTools(policyClient);
  const turns = new TurnStore(dataSource);
  return redactingErrors({
    ...createDatasetActivities(),
    ...createModuleActivities({ turns, tools, policyClient }),
    ...createScoringActivities(),
    ...createTrajectoryActivities({ dataSource, artifacts }),
    ...createRunActivities({ dataSource, tools }),
  });
}
