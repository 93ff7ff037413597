/** Workflows and the TypeScript activities. */
export const AGENT_TASK_QUEUE = 'agent';
/** The Python trainer worker's activities: initPolicy and trainStep. */
export const TRAINER_TASK_QUEUE = 'trainer';
