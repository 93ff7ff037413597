import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { readArguments } from './executor/read-arguments.js';
import { taggedAnswer } from './generator/tagged-answer.js';
import { parseAction } from './planner/parse-action.js';
import { parseStep } from './planner/parse-step.js';
import { readAnalysis } from './query-analysis/read-analysis.js';
import { readVerdict } from './verifier/read-verdict.js';

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
    expect(readArguments(reply, 'stop', ['a'])).toMatchObject({ arguments: expected });
  });

  it.each([
    ['{"name":"ls","arguments":"-l"}', { name: 'ls', arguments: '-l' }],
    ['{"name":"ls","arguments":["-l"]}', { name: 'ls', arguments: ['-l'] }],
    ['{"reasoning":"r","arguments":{"name":"ls","arguments":"-l"}}', { name: 'ls', arguments: '-l' }],
    ['{"arguments":"{\\"arguments\\":\\"-l\\"}"}', { arguments: '-l' }],
  ])('reads %j for a tool with a parameter called arguments', (reply, expected) => {
    expect(readArguments(reply, 'stop', ['name', 'arguments'])).toMatchObject({ arguments: expected });
  });

  it('runs nothing that a model wrote as a program (I10)', () => {
    const written = readArguments('execution = tool.execute(query="x")', 'stop', []);
    expect(written.mistake).toContain('could not be written');
  });
});

describe('readAnalysis', () => {
  it('reads labelled parts, and takes free words for a summary', () => {
    expect(readAnalysis('**Concise Summary:** s\n**Required Skills:** k')).toMatchObject({ summary: 's', skills: 'k' });
    expect(readAnalysis('A sum is needed.').summary).toBe('A sum is needed.');
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

describe('what reads a reply, between its row and the turn’s', () => {
  const READERS: [string, (reply: string) => unknown][] = [
    ['parseAction', (reply) => parseAction(reply, TOOLS)],
    ['parseStep', (reply) => parseStep(reply, 'stop', TOOLS)],
    ['readArguments', (reply) => readArguments(reply, 'stop', ['a'])],
    ['readAnalysis', readAnalysis],
    ['readVerdict', readVerdict],
    ['taggedAnswer', taggedAnswer],
  ];
  const deep = (before: string, after: string) =>
    `{"sub_goal":${before.repeat(10_000)}${after.repeat(10_000)},"tool":"Calculator"}`;
  const HOSTILE = [
    deep('[', ']'),
    deep('{"a":', '}').replace(/:}/, ':1}'),
    '{'.repeat(100_000),
    '{"'.repeat(50_000),
    '```'.repeat(50_000),
    `\`\`\`${'a'.repeat(100_000)}`,
    `{"tool":1e999,"sub_goal":"\\ud800"}`,
    '{"__proto__":{"tool":"Calculator"},"constructor":1}',
    '<answer>'.repeat(20_000),
  ];
  const word = fc.constantFrom(
    '{',
    '}',
    '[',
    ']',
    '"',
    ':',
    ',',
    '\\',
    '```',
    '\n',
    'Tool',
    'Sub-Goal:',
    '<think>',
    '</think>',
    'STOP',
    'a',
  );
  const reply = fc.oneof(
    fc.string({ unit: 'binary' }),
    fc.array(word, { maxLength: 60 }).map((words) => words.join('')),
    fc.json(),
  );

  it.each(READERS)('I15: %s reads every reply: none fails for what is in it', (_, read) => {
    for (const text of HOSTILE) expect(read(text)).toBeDefined();
    fc.assert(
      fc.property(reply, (text) => void expect(read(text)).toBeDefined()),
      { numRuns: 500 },
    );
  });
});
