export { agentFlow } from './agent-flow.workflow.js';
export { rolloutGroup } from './rollout-group.workflow.js';
export { evaluation } from './evaluation.workflow.js';
export { trainingRun } from './training-run.workflow.js';
export { evaluationCell } from './evaluation-cell.workflow.js';
export { benchmarkEvaluation } from './benchmark-evaluation.workflow.js';
