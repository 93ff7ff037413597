import type { DataSource } from 'typeorm';
import { writeRunStatus } from '../../infra/database/run-status.js';
import type { RunActivities } from '../../contracts/agent-activities.js';
import type { Datasets } from '../datasets/registry.js';
import type { ToolRegistry } from '../tools/tool-registry.js';
import { resolveIdentity } from './identity.js';
import { recordAllowance } from './record-allowance.js';
import { recordEvaluation } from './record-evaluation.js';
import { recordStep } from './record-step.js';
import { refuseKnownQuestions } from './refuse-known-questions.js';
import { resolvePolicy } from './resolve-policy.js';

export interface RunDependencies {
  dataSource: DataSource;
  tools: ToolRegistry;
  datasets: Datasets;
}

/** What a training run writes about itself. Every one of these may be called again with the same input. */
export function createRunActivities({ dataSource, tools, datasets }: RunDependencies): RunActivities {
  return {
    resolveIdentity: async ({ config }) => {
      await refuseKnownQuestions(config, datasets);
      return resolveIdentity(config, tools, datasets, dataSource);
    },
    resolvePolicy: ({ name, model }) => resolvePolicy(dataSource, name, model),
    setRunStatus: async (input) => void (await writeRunStatus(dataSource, input)),
    recordAllowance: (input) => recordAllowance(dataSource, input),
    recordStep: (input) => recordStep(dataSource, input),
    recordEvaluation: (input) => recordEvaluation(dataSource, input),
  };
}
