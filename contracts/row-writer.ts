/** Key of the memo that holds the token which the API started a workflow with. */
export const START_TOKEN = 'agentflow_start_token';

/** What a workflow says of itself to the row that it writes, so that the row knows its own workflow from any other. */
export interface RowWriter {
  /** What it was started with; null if somebody other than the API started it. */
  token: string | null;
  /** Temporal's id of the first execution of its chain: the same across continue-as-new and resets. */
  execution: string;
}
