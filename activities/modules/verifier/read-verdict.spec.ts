import { describe, expect, it } from '@jest/globals';
import { readVerdict } from './read-verdict.js';

describe('readVerdict', () => {
  it.each([
    ['{"critique":"all there","verdict":"STOP"}', 'STOP'],
    ['{"analysis":"all there","stop_signal":true}', 'STOP'],
    ['{"analysis":"not yet","stop_signal":false}', 'CONTINUE'],
    ['Critique: all there\nVerdict: STOP', 'STOP'],
    ['**Critique:** all there\n\n**Conclusion: STOP**', 'STOP'],
    ['### Conclusion\n**STOP**.', 'STOP'],
    ['Conclusion: CONTINUE\nOn reflection:\nConclusion: STOP', 'STOP'],
    ['Conclusion: STOP\nOn reflection:\nConclusion: CONTINUE', 'CONTINUE'],
    ['STOP', 'STOP'],
    ['stop.', 'STOP'],
    ['STOP: the area was found', 'STOP'],
    ['The area was found.\n\nSTOP', 'STOP'],
    ['<think>STOP or CONTINUE?</think>\nCONTINUE the area is missing', 'CONTINUE'],
    ['Verdict: we should not stop', 'CONTINUE'],
    ['The assistant should not stop here.', 'CONTINUE'],
    ['Do not STOP', 'CONTINUE'],
    ['stopping now would be wrong', 'CONTINUE'],
    ['Stop words were removed', 'CONTINUE'],
    ['Verdict: STOP or CONTINUE', 'CONTINUE'],
    ['I cannot stop until the sum is known, so it goes on.', 'CONTINUE'],
    ['', 'CONTINUE'],
    ['gibberish', 'CONTINUE'],
  ])('%j: %s', (reply, verdict) => {
    expect(readVerdict(reply).verdict).toBe(verdict);
  });

  it('keeps what the planner can learn from', () => {
    expect(readVerdict('Critique: the width is missing\nVerdict: CONTINUE').critique).toBe('the width is missing');
    expect(readVerdict('CONTINUE: the width is missing').critique).toBe('the width is missing');
    expect(readVerdict('Hm, the width is missing.').critique).toBe('Hm, the width is missing.');
    expect(Buffer.byteLength(readVerdict('x'.repeat(9000)).critique)).toBeLessThanOrEqual(2048);
  });
});
