import { describe, expect, it } from '@jest/globals';
import { z } from 'zod';
import { runTool } from './run-tool.js';
import type { Tool, ToolContext } from './tool.js';

const inputSchema = z.strictObject({ text: z.string().max(5, 'the text is too long') });

function toolThat(run: Tool<typeof inputSchema>['run'], timeoutMs = 1_000): Tool<typeof inputSchema> {
  return { name: 'echo', title: 'Echo', description: 'echoes', inputSchema, subGoalField: 'text', timeoutMs, run };
}

function contextWith(signal = new AbortController().signal): ToolContext {
  return { flowId: 'f', turn: 1, dataset: { name: 'atlas', seed: 7 }, model: 'm', seed: '1', signal };
}

describe('runTool', () => {
  it('refuses input that the schema refuses, in words, without running the tool', async () => {
    const tool = toolThat(() => Promise.reject(new Error('must not run')));
    expect(await runTool(tool, { text: 'too long' }, contextWith())).toEqual({ mistake: 'the text is too long' });
  });

  it('lets an outage through as an error', async () => {
    const tool = toolThat(() => Promise.reject(new Error('down')));
    await expect(runTool(tool, { text: 'a' }, contextWith())).rejects.toThrow('down');
  });

  it('ends a tool at its timeout and aborts its signal', async () => {
    let aborted = false;
    const tool = toolThat(async (_, { signal }) => {
      signal.addEventListener('abort', () => (aborted = true));
      return new Promise(() => undefined);
    }, 20);
    await expect(runTool(tool, { text: 'a' }, contextWith())).rejects.toThrow(
      expect.objectContaining({ name: 'ToolTimedOut' }),
    );
    expect(aborted).toBe(true);
  });

  it('ends with the reason of a cancelled activity', async () => {
    const controller = new AbortController();
    const running = runTool(
      toolThat(() => new Promise(() => undefined)),
      { text: 'a' },
      contextWith(controller.signal),
    );
    controller.abort(new Error('cancelled'));
    await expect(running).rejects.toThrow('cancelled');
  });
});
