/**
 * The closed list of failure types, by Temporal's ApplicationFailure.type. The Python worker holds the same list
 * (worker/gpu/flow_grpo/failures.py); a test compares the two. What is recognisably infrastructure is retried without
 * limit (I2); anything else that is not on this list is retried a bounded number of times and then fails as `Defect`
 * (I14).
 */
export const FailureType = {
  /** The configuration contradicts itself or names something that is not registered. Raised before anything runs. */
  BadConfiguration: 'BadConfiguration',
  /** A checkpoint, adapter or batch belongs to another base model, prompt, dataset or trainer version (I8). */
  WrongIdentity: 'WrongIdentity',
  /** Loss or gradient is not finite. The run pauses and names the group. */
  NonFiniteLoss: 'NonFiniteLoss',
  /** A second worker computed another sha256 for a committed step (I4). The run pauses. */
  StepDiverged: 'StepDiverged',
  /** A replayed step gave another sha256 than its committed row (docs/recovery.md). The run pauses. */
  ReplayDiverged: 'ReplayDiverged',
  /** A batch file is missing or its sha256 does not match its row, or holds turns of another policy (I11). */
  BatchInvalid: 'BatchInvalid',
  /** A batch's log-probs are not those of the policy it was sampled from: the policy server computes another. */
  SamplerMismatch: 'SamplerMismatch',
  /** The rendered prompt does not fit the model's context. At turn 1 the rollout is excluded. */
  PromptTooLong: 'PromptTooLong',
  /** The query, dataset or rollout asked for does not exist. */
  NotFound: 'NotFound',
  /** A provider of language models refused a request for good: a wrong key, an unknown model, a malformed request. */
  ProviderRefused: 'ProviderRefused',
  /** The run has spent its budget on language models. */
  BudgetSpent: 'BudgetSpent',
  /** A policy's files are gone or damaged, or its logits are not finite. The message names it. */
  PolicyUnusable: 'PolicyUnusable',
  /** The files of an export find no room on the disk of the artifact store. None of them is left. */
  DiskFull: 'DiskFull',
  /** Every rollout of a step was lost to infrastructure: there is nothing to learn from, and nothing is committed. */
  NothingScored: 'NothingScored',
  /** A call failed in each of its attempts, not because of an outage; or it was lost with its worker several times. */
  Defect: 'Defect',
} as const;

export type FailureType = (typeof FailureType)[keyof typeof FailureType];

/** For activity retry policies: every failure type that no retry can mend. */
export const NON_RETRYABLE: FailureType[] = Object.values(FailureType);

/**
 * Of a run, flow or evaluation that did not end by itself: its workflow in Temporal was gone. No call fails with it.
 */
export const WORKFLOW_LOST = 'WorkflowLost';

/** Why a run, flow, evaluation or export pauses or has failed, as its row and whoever asks is told. */
export interface RunFailure {
  type: string;
  message: string;
  /** NonFiniteLoss: the groups that a decision may leave out. */
  groups?: number[];
}
