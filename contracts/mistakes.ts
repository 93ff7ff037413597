/** What can be wrong with a plan. */
const PLAN_MISTAKES = [
  /** It does not say what to do: a part is missing, or the reply was cut off or refused. */
  'unreadable_plan',
  /** It names a tool that the flow does not have. */
  'unknown_tool',
  'long_sub_goal',
] as const;

/** What can go wrong with a call. An outage is thrown instead and retried (I2). */
const CALL_MISTAKES = [
  /** The executor's reply holds no arguments. */
  'unreadable_arguments',
  /** The arguments do not match the tool's schema. */
  'invalid_arguments',
  /** The tool does not do this, whatever the wording: a forbidden address, an operation that it lacks. */
  'refused',
  /** What the arguments name does not exist or cannot be read. */
  'not_found',
  /** The tool did its work and reports an error: a program that raised, an MCP tool's own error. */
  'failed',
  'time_limit',
  'memory_limit',
  'output_limit',
  /** The call of a tool that may not be repeated was begun, and what became of it is not known. */
  'outcome_unknown',
] as const;

/** What went wrong in a turn, by name. The planner can mend every one of them. */
export const MISTAKE_KINDS = [...PLAN_MISTAKES, ...CALL_MISTAKES] as const;
export type MistakeKind = (typeof MISTAKE_KINDS)[number];
export type PlanMistakeKind = (typeof PLAN_MISTAKES)[number];
export type CallMistakeKind = (typeof CALL_MISTAKES)[number];
