import type { ToolContext } from '../tool.js';

/** What a tool of a test is told. Its language model repeats the prompt. */
export function toolContext(overrides: Partial<ToolContext> = {}): ToolContext {
  return {
    flowId: 'flow',
    turn: 1,
    dataset: { name: 'atlas', seed: 7 },
    seed: '1',
    signal: new AbortController().signal,
    promptStyle: 'full',
    generate: ({ prompt }) => Promise.resolve(prompt),
    ...overrides,
  };
}
