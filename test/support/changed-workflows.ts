import { sleep } from '@temporalio/workflow';
import type { BenchmarkEvaluationInput, EvaluationCellInput } from '../../contracts/benchmark-evaluation.js';
import type { AgentFlowInput } from '../../contracts/flow.js';
import type { EvaluationInput, RolloutGroupInput, TrainingRunInput } from '../../contracts/training-run.js';
import type { DatasetCheckInput } from '../../contracts/uploaded-dataset.js';
import type { WebhookDeliveryInput } from '../../contracts/webhooks.js';
import type { PolicyExportInput } from '../../contracts/policy-export.js';
import * as workflows from '../../workflows/index.js';

/** Each workflow with one command more at its beginning: what an incompatible change without patching looks like. */
export async function agentFlow(input: AgentFlowInput) {
  await sleep(1);
  return workflows.agentFlow(input);
}

export async function rolloutGroup(input: RolloutGroupInput) {
  await sleep(1);
  return workflows.rolloutGroup(input);
}

export async function evaluation(input: EvaluationInput) {
  await sleep(1);
  return workflows.evaluation(input);
}

export async function trainingRun(input: TrainingRunInput) {
  await sleep(1);
  return workflows.trainingRun(input);
}

export async function evaluationCell(input: EvaluationCellInput) {
  await sleep(1);
  return workflows.evaluationCell(input);
}

export async function benchmarkEvaluation(input: BenchmarkEvaluationInput) {
  await sleep(1);
  return workflows.benchmarkEvaluation(input);
}

export async function datasetCheck(input: DatasetCheckInput) {
  await sleep(1);
  return workflows.datasetCheck(input);
}

export async function webhookDelivery(input: WebhookDeliveryInput) {
  await sleep(1);
  return workflows.webhookDelivery(input);
}

export async function policyExport(input: PolicyExportInput) {
  await sleep(1);
  return workflows.policyExport(input);
}
