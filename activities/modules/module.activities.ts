import type { ModuleActivities } from '../../contracts/agent-activities.js';
import { createExecutorActivities } from './executor/executor.activity.js';
import { createGeneratorActivities } from './generator/generator.activity.js';
import type { ModuleDependencies } from './module-dependencies.js';
import { createPlannerActivities } from './planner/planner.activity.js';
import { createQueryAnalysisActivities } from './query-analysis/query-analysis.activity.js';
import { createVerifierActivities } from './verifier/verifier.activity.js';

/** The agent modules. None of them can reach ground truth: scoring is apart. */
export function createModuleActivities(dependencies: ModuleDependencies): Omit<ModuleActivities, 'scoreAnswer'> {
  return {
    ...createQueryAnalysisActivities(dependencies),
    ...createPlannerActivities(dependencies),
    ...createExecutorActivities(dependencies),
    ...createVerifierActivities(dependencies),
    ...createGeneratorActivities(dependencies),
  };
}
