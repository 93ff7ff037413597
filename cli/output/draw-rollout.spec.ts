import { describe, expect, it } from '@jest/globals';
import stringWidth from 'string-width';
import type { Rollout } from '../client/api-types.js';
import { drawRollout } from './draw-rollout.js';

const ROLLOUT: Rollout = {
  id: 'run-abc/3/0/1',
  object: 'rollout',
  run_id: 'run-abc',
  purpose: 'train',
  step: 3,
  group: 0,
  rollout: 1,
  query_id: 'q',
  family: 'two hops',
  question: 'What is the area of Mordby times 7?',
  outcome: 'answered',
  reward: 1,
  advantage: 0.70710578,
  answer: '84',
  turns: 3,
  tools: ['lookup', 'none', 'calculator'],
  memory: [
    {
      turn: 1,
      tool: 'lookup',
      subGoal: 'find the area of Mordby',
      command: 'area of Mordby',
      result:
        'The area of Mordby is 12. Mordby lies beside Hexley, whose area is larger, and was founded long before it.',
      verdict: 'CONTINUE',
      critique: 'The product is missing.',
    },
    {
      turn: 2,
      mistake: 'No tool is named.',
      mistakeKind: 'unreadable_plan',
      verdict: 'CONTINUE',
      critique: 'Name a tool.',
    },
    {
      turn: 3,
      tool: 'calculator',
      subGoal: 'multiply',
      command: '12 * 7',
      result: '84',
      verdict: 'STOP',
      critique: 'It is complete.',
    },
  ],
  policy: 'run-abc@2',
  policy_sha256: 'ab',
  created_at: '2026-01-01T00:00:00.000Z',
};

const textOf = (rollout: Rollout) => drawRollout(rollout).map(({ text }) => text);

/*
 * How such views have failed elsewhere: a result floods the terminal (sierra-research/tau2-bench#434) or is cut with no
 * word of it, a call is cut to what tells nothing (tmustier/pine-of-glass#10).
 */
describe('a rollout that is drawn', () => {
  it('tells turns, calls, results, mistakes and verdicts, then answer, outcome, reward and advantage', () => {
    expect(textOf(ROLLOUT).join('\n')).toBe(`run-abc/3/0/1
step 3, group 0, rollout 1

question   What is the area of Mordby times 7?
policy     run-abc@2

turn 1
  plan     lookup: find the area of Mordby
  call     area of Mordby
  result   The area of Mordby is 12. Mordby lies beside Hexley, whose area is
           larger, and was founded long before it.
  verdict  CONTINUE: The product is missing.

turn 2
  mistake  No tool is named.
  verdict  CONTINUE: Name a tool.

turn 3
  plan     calculator: multiply
  call     12 * 7
  result   84
  verdict  STOP: It is complete.

answer     84
outcome    answered
reward     1
advantage  0.7071`);
  });

  it('shows verdicts, mistakes and what it came to in styles', () => {
    const styles = drawRollout(ROLLOUT).filter(({ style }) => style !== undefined && style !== 'bold');
    expect(styles.map(({ text, style }) => [text.trim().split(' ')[0], style])).toEqual([
      ['verdict', 'yellow'],
      ['mistake', 'red'],
      ['verdict', 'yellow'],
      ['verdict', 'green'],
    ]);
  });

  it('of one that was excluded says what it has not', () => {
    const excluded = { ...ROLLOUT, outcome: 'infrastructure', reward: null, advantage: null, answer: null } as const;
    const lines = textOf({ ...excluded, memory: [], policy: null });
    expect(lines.slice(-4)).toEqual(['answer     none', 'outcome    infrastructure', 'reward     -', 'advantage  -']);
    expect(lines).toContain('policy     none of a run');
  });

  it('shortens a long result and says by how much; a call of many lines keeps them', () => {
    const [first] = ROLLOUT.memory;
    const command = Array.from({ length: 15 }, (_, n) => `  x${n} = ${n}`).join('\n');
    const memory = [{ ...first, command, result: 'word '.repeat(10_000) }];
    const lines = textOf({ ...ROLLOUT, memory });
    expect(lines.filter((line) => /x\d+ = \d+$/.test(line))).toHaveLength(15);
    expect(lines.filter((line) => line.includes('word'))).toHaveLength(8);
    expect(lines.join('\n')).toMatch(/… \d+ more lines: --json\n {2}verdict/);
  });

  it('is at most 80 columns wide, and lets no text look like a line of its own or steer the terminal', () => {
    const hostile = `${'あ'.repeat(90)}\nreward     9\r\nturn 7\n\u001b[2J\u202eoutcome`;
    const memory = [{ ...ROLLOUT.memory[0], subGoal: hostile, command: hostile, result: hostile, critique: hostile }];
    const lines = textOf({ ...ROLLOUT, question: hostile, answer: hostile, memory });
    for (const line of lines) expect(stringWidth(line)).toBeLessThanOrEqual(80);
    expect(lines.filter((line) => /^(reward|turn)/.test(line))).toEqual(['turn 1', 'reward     1']);
    for (const steering of ['\u001b', '\u202e', '\r']) expect(lines.join('')).not.toContain(steering);
  });
});
