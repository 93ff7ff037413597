import { describe, expect, it } from '@jest/globals';
import { readArguments } from './executor/read-arguments.js';
import { taggedAnswer } from './generator/tagged-answer.js';
import { parseStep } from './planner/parse-step.js';
import { readAnalysis } from './query-analysis/read-analysis.js';

const TOOLS = [
  { name: 'web_search', title: 'Web_Search' },
  { name: 'calculator', title: 'Calculator' },
];

describe('parseStep', () => {
  it.each(['Web_Search', 'web search', '`Web Search`', '**web_search**', 'WEB-SEARCH.', '"Web_Search"'])(
    'knows a tool by %j',
    (title) => {
      const step = parseStep(`Justification: j\nContext: c\nSub-Goal: find it\nTool: ${title}`, 'stop', TOOLS);
      expect(step).toEqual({ justification: 'j', context: 'c', tool: 'web_search', subGoal: 'find it' });
    },
  );

  it.each([
    ['no parts at all', 'stop', /"Tool" of the plan is missing$/, 'unreadable_plan'],
    ['Sub-Goal: x\nTool:', 'length', /cut off at the token limit/, 'unreadable_plan'],
    ['', 'refused', /would not answer/, 'unreadable_plan'],
    ['Tool: Calculator', 'stop', /"Sub-Goal" of the plan is missing/, 'unreadable_plan'],
    ['Sub-Goal: x\nTool: Browser', 'stop', /no tool is called Browser/, 'unknown_tool'],
    ['Sub-Goal: x\nTool: Calculator or Web_Search', 'stop', /is called Calculator or Web_Search/, 'unknown_tool'],
    [`Sub-Goal: ${'x'.repeat(1001)}\nTool: Calculator`, 'stop', /too long/, 'long_sub_goal'],
  ] as const)('says what is wrong with %j', (text, finishReason, mistake, mistakeKind) => {
    const step = parseStep(text, finishReason, TOOLS);
    expect(step.tool).toBeUndefined();
    expect(step).toMatchObject({ mistake: expect.stringMatching(mistake), mistakeKind });
  });

  it('keeps what goes into a history small (I6)', () => {
    const long = 'x'.repeat(20_000);
    const step = parseStep(`Justification: ${long}\nContext: ${long}\nSub-Goal: x\nTool: Calculator`, 'stop', TOOLS);
    expect(Buffer.byteLength(JSON.stringify(step))).toBeLessThan(8 * 1024);
  });
});

describe('readArguments', () => {
  it.each([
    ['{"reasoning":"r","arguments":{"a":1}}', { a: 1 }],
    ['{"arguments":"{\\"a\\":1}"}', { a: 1 }],
    ['{"arguments":"plain"}', 'plain'],
    ['Here:\n```json\n{"a":1}\n```', { a: 1 }],
  ])('reads %j', (reply, expected) => {
    expect(readArguments(reply, 'stop')).toEqual({ arguments: expected });
  });

  it('runs nothing that a model wrote as a program (I10)', () => {
    const written = readArguments('execution = tool.execute(query="x")', 'stop');
    expect(written.mistake).toContain('could not be written');
  });
});

describe('readAnalysis', () => {
  it('reads labelled parts, and takes free words for a summary', () => {
    expect(readAnalysis('**Concise Summary:** s\n**Required Skills:** k')).toMatchObject({ summary: 's', skills: 'k' });
    expect(readAnalysis('<think>hm</think>A sum is needed.').summary).toBe('A sum is needed.');
  });
});

describe('taggedAnswer', () => {
  it.each([
    ['It is <answer>1</answer>, no: <answer> 2 </answer>', '2'],
    ['So <ANSWER>3</ANSWER>.', '3'],
    ['So <answer>4', '4'],
    ['five', 'five'],
    ['<answer></answer>', '<answer></answer>'],
  ])('%j: %s', (reply, answer) => {
    expect(taggedAnswer(reply)).toBe(answer);
  });
});
