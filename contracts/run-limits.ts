/** Most training steps of a run, as submitted and as extended. */
export const MAX_STEPS = 1_000_000;
/** Questions of one answer: some are 3 KB long, and no payload is above 256 KB (I6). */
export const QUESTIONS_PER_PAYLOAD = 50;
/** Bytes of the questions of one answer as JSON: some have 60 KB. A longer question is an answer by itself. */
export const QUESTION_BYTES_PER_PAYLOAD = 200 * 1024;
