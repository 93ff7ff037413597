import { describe, expect, it } from '@jest/globals';
import type { PlanTurnInput } from '../../../contracts/agent-activities.js';
import { createTools } from '../../tools/index.js';
import { compactPrompt, fullPrompt, promptIdentity } from './planner-prompt.js';
import { parseAction } from './parse-action.js';
import { randomEngine } from './random.engine.js';

const tools = createTools().select(['calculator', 'lookup', 'generator']);

describe('parseAction', () => {
  it.each([
    ['Lookup: area of Hexley', { tool: 'lookup', subGoal: 'area of Hexley' }],
    ['  calculator :  12 * 7  \nanything else', { tool: 'calculator', subGoal: '12 * 7' }],
    ['GENERATOR:why', { tool: 'generator', subGoal: 'why' }],
    ['Lookup: ratio 3:4', { tool: 'lookup', subGoal: 'ratio 3:4' }],
  ])('reads %j', (text, action) => {
    expect(parseAction(text, tools)).toEqual(action);
  });

  it.each([
    ['', 'unreadable_plan'],
    ['The area is 5.', 'unreadable_plan'],
    ['Lookup:', 'unreadable_plan'],
    ['Lookup area of Hexley', 'unreadable_plan'],
    [': area', 'unreadable_plan'],
    ['Browser: area', 'unknown_tool'],
    [`Lookup: ${'x'.repeat(1001)}`, 'long_sub_goal'],
  ])('names the mistake in %j', (text, mistakeKind) => {
    const action = parseAction(text, tools);
    expect(action.tool).toBeUndefined();
    expect(action).toMatchObject({ mistake: expect.stringMatching(/./), mistakeKind });
  });
});

describe('fullPrompt', () => {
  const said = (memory: PlanTurnInput['memory']) => {
    const query = { id: 'q', dataset: { name: 'atlas', seed: 7 }, family: 'asked', question: 'Why?' };
    const analysis = { summary: '', skills: '', tools: '', considerations: '' };
    const messages = fullPrompt({ query, analysis, memory, turnsLeft: 1 }, tools, 'text');
    return messages.map(({ content }) => content).join('\n');
  };
  const call = {
    tool: 'calculator',
    subGoal: 'g',
    command: '{}',
    result: '',
    verdict: 'CONTINUE' as const,
    critique: '',
  };

  it('says by name what went wrong, and of rows that are older what their words say', () => {
    const memory = [
      { ...call, turn: 1, mistake: 'a name is not allowed here', mistakeKind: 'invalid_arguments' as const },
      { ...call, turn: 2, mistake: 'it was long ago' },
    ];
    expect(said(memory)).toContain('Error (invalid arguments): a name is not allowed here\n');
    expect(said(memory)).toContain('Error: it was long ago\n');
  });
});

describe('compactPrompt', () => {
  const memory = [
    { tool: 'lookup', subGoal: 'area of Hexley', result: 'The area of Hexley is 4312.' },
    { tool: 'calculator', subGoal: '4312 x 7', mistake: 'only numbers' },
    { mistake: 'not a line "Tool: input"' },
  ];

  it('shares its beginning across questions, and across the turns of one question', () => {
    const text = (question: string, entries: typeof memory, turnsLeft: number) =>
      JSON.stringify(compactPrompt(question, tools, entries, turnsLeft));
    const [first, later, other] = [text('Q one?', [], 3), text('Q one?', memory, 1), text('Z two?', [], 3)];
    const shared = (a: string, b: string) => [...a].findIndex((letter, index) => letter !== b[index]);
    expect(shared(first, other)).toBe(first.indexOf('Q one?'));
    expect(shared(first, later)).toBeGreaterThan(first.indexOf('Q one?') + 'Q one?'.length);
  });

  it('is the same whether or not the kind of a mistake is known', () => {
    const kinds = memory.map((entry) => (entry.mistake ? { ...entry, mistakeKind: 'failed' as const } : entry));
    expect(compactPrompt('What?', tools, kinds, 1)).toEqual(compactPrompt('What?', tools, memory, 1));
  });

  it('shows what was done, and what went wrong, in the last message', () => {
    const messages = compactPrompt('What?', tools, memory, 1);
    expect(messages.at(-1)?.role).toBe('user');
    for (const part of [
      'What?',
      'Lookup: area of Hexley -> The area of Hexley is 4312.',
      'only numbers',
      'not a line',
    ]) {
      expect(messages.at(-1)?.content).toContain(part);
    }
  });

  it('offers no example of a tool that the flow does not have', () => {
    const text = JSON.stringify(compactPrompt('What?', tools.slice(0, 1), [], 2));
    expect(text).not.toContain('Lookup');
  });

  it('changes its identity with the tools', () => {
    for (const prompt of ['compact', 'full'] as const) {
      const identity = promptIdentity(tools, prompt);
      expect(identity).toMatch(/^[0-9a-f]{64}$/);
      expect(identity).toBe(promptIdentity([...tools], prompt));
      expect(identity).not.toBe(promptIdentity(tools.slice(0, 2), prompt));
      expect(identity).not.toBe(promptIdentity([{ ...tools[0], description: 'else' }, ...tools.slice(1)], prompt));
    }
  });

  it('is byte by byte the one that the quickstart’s figures were made with', () => {
    const identity = 'e6087a13bcf2eee8c13ab535ca4b6f514f945095ff74038394d661daa93ea623';
    expect(promptIdentity(tools, 'compact')).toBe(identity);
  });
});

describe('random planner', () => {
  const input = (rollout: number): PlanTurnInput => ({
    flow: { flowId: 'f', runId: 'r', runSeed: 1, purpose: 'evaluation', step: 0, group: 0, rollout },
    query: { id: 'q', dataset: { name: 'atlas', seed: 7 }, family: 'arithmetic', question: 'What is 3 plus 4?' },
    model: 'tiny-random',
    cache: false,
    analysis: { summary: '', skills: '', tools: '', considerations: '' },
    tools: [],
    memory: [],
    turn: 1,
    turnsLeft: 2,
    planner: { engine: 'random' },
    policy: { name: 'r@0', sha256: '0'.repeat(64) },
    greedy: true,
  });
  const signal = new AbortController().signal;

  it('picks every tool at times, the same one for the same call, with an input that parses', async () => {
    const texts = await Promise.all(
      Array.from({ length: 60 }, async (_, rollout) => (await randomEngine(input(rollout), tools, signal)).text),
    );
    expect(new Set(texts)).toEqual(new Set(['Calculator: 3 + 4', 'Lookup: 3 plus 4', 'Generator: 3 plus 4']));
    expect((await randomEngine(input(5), tools, signal)).text).toBe(texts[5]);
  });
});
