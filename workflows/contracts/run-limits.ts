/** Training steps of a run at most, as submitted and as extended. */
export const MAX_STEPS = 1_000_000;
