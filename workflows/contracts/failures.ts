/**
 * The closed list of failure types, by Temporal's ApplicationFailure.type. The Python worker holds the same list
 * (worker/gpu/flow_grpo/failures.py); a test compares the two. A failure that is not on this list is infrastructure
 * and is retried without limit (I2).
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
  /** A replayed step gave another sha256 than its committed row (design 6). The run pauses. */
  ReplayDiverged: 'ReplayDiverged',
  /** A batch file is missing or its sha256 does not match its row, or holds turns of another policy (I11). */
  BatchInvalid: 'BatchInvalid',
  /** The rendered prompt does not fit the model's context. At turn 1 the rollout is excluded. */
  PromptTooLong: 'PromptTooLong',
  /** The query, dataset or rollout asked for does not exist. */
  NotFound: 'NotFound',
  /** A provider of language models refused a request for good: a wrong key, an unknown model, a malformed request. */
  ProviderRefused: 'ProviderRefused',
  /** The run has spent its budget on language models. */
  BudgetSpent: 'BudgetSpent',
} as const;

export type FailureType = (typeof FailureType)[keyof typeof FailureType];

/** For activity retry policies: every failure type that no retry can mend. */
export const NON_RETRYABLE: FailureType[] = Object.values(FailureType);
