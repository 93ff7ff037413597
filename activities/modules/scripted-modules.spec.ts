import { describe, expect, it } from '@jest/globals';
import type { MemoryEntry, Query } from '../../contracts/flow.js';
import { leftOutNote, shortenedNote } from '../../contracts/memory-notes.js';
import { atlas } from '../datasets/atlas/atlas.dataset.js';
import { atlasTruth } from '../datasets/atlas/truth.js';
import { scoreExactNumber } from '../scoring/exact-number.js';
import { createTools } from '../tools/index.js';
import { cutText } from '../text/cut-text.js';
import { toolContext } from '../tools/testing/tool-context.js';
import { runCommand } from './executor/run-command.js';
import { scriptedArguments } from './executor/scripted-executor.js';
import { lastNumber } from './generator/last-number.js';
import { oraclePlan } from './planner/oracle.engine.js';
import { verify } from './verifier/verify.js';

const tools = createTools();
const families = { arithmetic: 1, lookup: 1, 'two-hop': 1, comparison: 1, sum: 1 };

/** The agent flow's loop without its workflow: oracle planner, scripted modules, real tools. */
async function solve(query: Query, maxTurns: number): Promise<{ turns: number; answer: string }> {
  const memory: MemoryEntry[] = [];
  while (memory.length < maxTurns && memory.at(-1)?.verdict !== 'STOP') {
    const turn = memory.length + 1;
    const { tool, subGoal } = oraclePlan(query.question, memory);
    const called = tools.named(tool);
    const context = toolContext({ turn, dataset: query.dataset });
    const run = await runCommand(called, scriptedArguments(called, subGoal), context, NO_NOTE);
    const record = { turn, tool, subGoal, ...run };
    memory.push({ ...record, ...verify(query.question, [...memory, record]) });
  }
  return { turns: memory.length, answer: lastNumber(memory) };
}

/** The tools of the product may be repeated: none of their calls is noted. */
const NO_NOTE = {
  begin: () => Promise.reject(new Error('noted')),
  withdraw: () => Promise.reject(new Error('withdrawn')),
};

describe('scripted modules with the oracle planner', () => {
  it('answer every held-out question in as few turns as its family allows', async () => {
    const expected = { arithmetic: 1, lookup: 1, 'two-hop': 2, comparison: 3, sum: 3 };
    for (const query of atlas.evaluation({ dataset: { name: 'atlas', seed: 7, families }, offset: 0, count: 250 })) {
      const { turns, answer } = await solve(query, 5);
      expect([query.question, scoreExactNumber(answer, atlasTruth(query.id).answer)]).toEqual([query.question, 1]);
      expect(turns).toBe(expected[query.family as keyof typeof expected]);
    }
  });
});

describe('verifier', () => {
  const found = { turn: 1, tool: 'lookup', subGoal: 'area of Hexley', result: 'The area of Hexley is 4312.' };
  const computed = { turn: 2, tool: 'calculator', subGoal: '4312 * 7', result: '30184' };

  it.each([
    ['What is the area of Hexley?', [found], 'STOP'],
    ['What is the area of Hexley times 7?', [found], 'CONTINUE'],
    ['What is the area of Hexley times 7?', [found, computed], 'STOP'],
    ['What is the area of Hexley plus the area of Kelby?', [found, computed], 'CONTINUE'],
    ['What is 3 plus 4?', [{ turn: 1, tool: 'lookup', subGoal: '3 plus 4', result: 'nothing found' }], 'CONTINUE'],
    ['What is 3 plus 4?', [{ turn: 1, mistake: 'not a line "Tool: input"' }], 'CONTINUE'],
    ['What is 3 plus 4?', [], 'CONTINUE'],
  ] as const)('%s after %j: %s', (question, memory, verdict) => {
    expect(verify(question, memory).verdict).toBe(verdict);
  });
});

describe('what was taken out of memory', () => {
  it.each([cutText('no number here, '.repeat(1000)), `none ${shortenedNote(2000)}`, `${leftOutNote(12)} none`])(
    'is said in notes whose numbers are none that a tool gave: %#',
    (result) => {
      expect(result).toMatch(/\[.*\d.*\]/);
      expect(lastNumber([{ result }])).toBe('unknown');
      const last = { turn: 13, tool: 'lookup', subGoal: 'area of Hexley', result };
      expect(verify('What is the area of Hexley?', [last]).verdict).toBe('CONTINUE');
      expect(lastNumber([{ result: `4312 ${result}` }])).toBe('4312');
    },
  );
});

describe('executor', () => {
  it.each([
    [{ arguments: { expression: '6 * 7' }, text: '' }, { result: '42' }],
    [
      { arguments: { formula: '6 * 7' }, text: '' },
      { result: '', mistakeKind: 'invalid_arguments' },
    ],
    [
      { mistake: 'no arguments', kind: 'unreadable_arguments', text: '?' },
      { result: '', mistake: 'no arguments', mistakeKind: 'unreadable_arguments' },
    ],
  ] as const)('names what went wrong with %j', async (written, outcome) => {
    expect(await runCommand(tools.named('calculator'), written, toolContext({ turn: 1 }), NO_NOTE)).toMatchObject(
      outcome,
    );
  });
});

describe('generator', () => {
  it('answers with the last number of a useful result', () => {
    expect(lastNumber([{ result: 'The area of Hexley is 4,312.' }, { result: 'nothing found' }])).toBe('4312');
    expect(lastNumber([{ result: '-7.5' }, { result: '9', mistake: 'refused' }])).toBe('-7.5');
    expect(lastNumber([{ result: '' }, { mistake: 'refused' }])).toBe('unknown');
  });
});
