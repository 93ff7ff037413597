import { beginning } from './begin.js';
import { agentFlow as agentFlowWorkflow } from './agent-flow.workflow.js';
import { rolloutGroup as rolloutGroupWorkflow } from './rollout-group.workflow.js';
import { evaluation as evaluationWorkflow } from './evaluation.workflow.js';
import { trainingRun as trainingRunWorkflow } from './training-run.workflow.js';
import { evaluationCell as evaluationCellWorkflow } from './evaluation-cell.workflow.js';
import { benchmarkEvaluation as benchmarkEvaluationWorkflow } from './benchmark-evaluation.workflow.js';
import { datasetCheck as datasetCheckWorkflow } from './dataset-check.workflow.js';
import { webhookDelivery as webhookDeliveryWorkflow } from './webhook-delivery.workflow.js';

export const agentFlow = beginning(agentFlowWorkflow);
export const rolloutGroup = beginning(rolloutGroupWorkflow);
export const evaluation = beginning(evaluationWorkflow);
export const trainingRun = beginning(trainingRunWorkflow);
export const evaluationCell = beginning(evaluationCellWorkflow);
export const benchmarkEvaluation = beginning(benchmarkEvaluationWorkflow);
export const datasetCheck = beginning(datasetCheckWorkflow);
export const webhookDelivery = beginning(webhookDeliveryWorkflow);
