import { describe, expect, it } from '@jest/globals';
import { z } from 'zod';
import { rememberSecret } from '../../infra/config/secrets.js';
import { MISTAKE_BYTES, RESULT_BYTES, runTool } from './run-tool.js';
import { toolContext } from './testing/tool-context.js';
import { defineTool, mistake, type Tool, type ToolContext, type ToolDefinition } from './tool.js';

const inputSchema = z.strictObject({ text: z.string().max(5, 'the text is too long') });

function toolThat(run: ToolDefinition<typeof inputSchema>['run'], timeoutMs = 1_000): Tool {
  return defineTool({ name: 'echo', title: 'Echo', description: 'echoes', inputSchema, timeoutMs, run });
}

function contextWith(signal = new AbortController().signal): ToolContext {
  return toolContext({ signal });
}

describe('runTool', () => {
  it('refuses input that the schema refuses, in words, without running the tool', async () => {
    const tool = toolThat(() => Promise.reject(new Error('must not run')));
    expect(await runTool(tool, { text: 'too long' }, contextWith())).toEqual({
      kind: 'invalid_arguments',
      mistake: 'the text is too long',
    });
  });

  it('I16: looks at no more of a result than can be kept, and lets no half of a key through by that', async () => {
    const key = 'marked-key-of-an-operator';
    rememberSecret(key);
    const count = 400_000;
    const { result = '' } = await runTool(
      toolThat(async () => ({ result: key.repeat(count) })),
      { text: 'a' },
      contextWith(),
    );
    expect(result.replaceAll('***', '')).toBe(`\n[cut: ${key.length * count} bytes in all]`);
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

  it('bounds results and words for the planner', async () => {
    const flood = 'a'.repeat(RESULT_BYTES + 1);
    const { result } = await runTool(
      toolThat(async () => ({ result: flood })),
      { text: 'a' },
      contextWith(),
    );
    expect(Buffer.byteLength(result!)).toBe(RESULT_BYTES);
    const refused = await runTool(
      toolThat(async () => mistake('failed', flood)),
      { text: 'a' },
      contextWith(),
    );
    expect(refused).toMatchObject({ kind: 'failed' });
    expect(Buffer.byteLength(refused.mistake!)).toBe(MISTAKE_BYTES);
  });
});

describe('defineTool', () => {
  it('shows its arguments as JSON schema, and parses what matches it', () => {
    const tool = toolThat(() => Promise.reject(new Error('must not run')));
    expect(tool.inputJsonSchema).toEqual({
      type: 'object',
      properties: { text: { type: 'string', maxLength: 5 } },
      required: ['text'],
      additionalProperties: false,
    });
    expect(tool.parse({ text: 'five5' })).toEqual({ arguments: { text: 'five5' } });
    for (const input of [{}, { text: 5 }, { text: 'a', more: 1 }, 'a', null, undefined, []]) {
      expect(tool.parse(input)).toMatchObject({ kind: 'invalid_arguments', mistake: expect.any(String) });
    }
  });
});
