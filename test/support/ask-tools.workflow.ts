import { ActivityFailure, proxyActivities } from '@temporalio/workflow';

export interface ToolCall {
  turn: number;
  tool: string;
  input: Record<string, unknown>;
}

/** Calls tools one after another, each as a retried activity. The message of a call that fails for good is its result. */
export async function askTools(calls: ToolCall[]): Promise<string[]> {
  const { callTool } = proxyActivities<{ callTool(call: ToolCall): Promise<string> }>({
    startToCloseTimeout: '5 minutes',
    retry: { initialInterval: '20ms' },
  });
  const results: string[] = [];
  for (const call of calls) {
    try {
      results.push(await callTool(call));
    } catch (error) {
      if (!(error instanceof ActivityFailure)) throw error;
      results.push(error.cause?.message ?? error.message);
    }
  }
  return results;
}
