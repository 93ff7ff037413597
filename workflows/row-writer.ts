import { workflowInfo } from '@temporalio/workflow';
import { START_TOKEN, type RowWriter } from '../contracts/row-writer.js';

/** What this workflow says of itself with each status that it writes. */
export function rowWriter(): RowWriter {
  const { memo, firstExecutionRunId: execution } = workflowInfo();
  const token = memo?.[START_TOKEN];
  return { token: typeof token === 'string' ? token : null, execution };
}
