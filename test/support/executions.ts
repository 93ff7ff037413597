import type { WorkflowHarness } from './workflow-harness.js';

/** Of one payload (I6). */
export const MAX_PAYLOAD_BYTES = 256 * 1024;

/** Every execution of a workflow id, across continue-as-new: its number of events and its largest payload in bytes. */
export async function executionsOf(harness: WorkflowHarness, workflowId: string) {
  const executions = [];
  for await (const { runId } of harness.client.workflow.list({ query: `WorkflowId = '${workflowId}'` })) {
    const { events } = await harness.client.workflow.getHandle(workflowId, runId).fetchHistory();
    executions.push({ events: events?.length ?? 0, largestPayload: Math.max(...payloadSizes(events)) });
  }
  return executions;
}

function payloadSizes(value: unknown): number[] {
  if (value instanceof Uint8Array) return [value.byteLength];
  if (value === null || typeof value !== 'object') return [0];
  return Object.values(value).flatMap(payloadSizes);
}
