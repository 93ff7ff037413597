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
    ['CONTINUE the area is missing', 'CONTINUE'],
    ['Analysis: all there\nStop Signal: True', 'STOP'],
    ['Analysis: all there\n**Stop Signal:** `true`.', 'STOP'],
    ['{"analysis":"all there","stop_signal":"True"}', 'STOP'],
    ["{'analysis': 'all there', 'stop_signal': True}", 'STOP'],
    ['Analysis: STOP is wrong here\nStop Signal: False', 'CONTINUE'],
    ['Stop Signal: True or False', 'CONTINUE'],
    ['Verdict: The memory holds all of it. STOP', 'STOP'],
    ['Verdict: It is not time to stop.', 'CONTINUE'],
    ['Critique: I first thought {"verdict":"STOP"}\nVerdict: CONTINUE', 'CONTINUE'],
    ['Verdict: we should not stop', 'CONTINUE'],
    ['The assistant should not stop here.', 'CONTINUE'],
    ['Do not STOP', 'CONTINUE'],
    ['stopping now would be wrong', 'CONTINUE'],
    ['Stop words were removed', 'CONTINUE'],
    ['Verdict: STOP or CONTINUE', 'CONTINUE'],
    ['I cannot stop until the sum is known, so it goes on.', 'CONTINUE'],
    ['', 'CONTINUE'],
    ['gibberish', 'CONTINUE'],
    ['Verdict: All is there\n**STOP**', 'STOP'],
    ['Verdict: do not STOP', 'CONTINUE'],
    ['Verdict: nonstop', 'CONTINUE'],
    ['All is there.\n\n  (**STOP**)\n', 'STOP'],
    ['All is there.\r\nSTOP\r\n', 'STOP'],
  ])('%j: %s', (reply, verdict) => {
    expect(readVerdict(reply).verdict).toBe(verdict);
  });

  it('keeps what the planner can learn from', () => {
    expect(readVerdict('Critique: the width is missing\nVerdict: CONTINUE').critique).toBe('the width is missing');
    expect(readVerdict('CONTINUE: the width is missing').critique).toBe('the width is missing');
    expect(readVerdict('Hm, the width is missing.').critique).toBe('Hm, the width is missing.');
    expect(Buffer.byteLength(readVerdict('x'.repeat(9000)).critique)).toBeLessThanOrEqual(2048);
  });

  /** Quadratic, a mebibyte would be 10^12 steps: days. So that this ends at all is what is shown. */
  it.each(['\n', '.', '*\n', '.\n', ' '])('reads a reply of %j in one pass', (mark) => {
    const repeated = mark.repeat(2 ** 20 / mark.length);
    expect(readVerdict(`${repeated}x`).verdict).toBe('CONTINUE');
    expect(readVerdict(`Verdict: ${repeated}x`).verdict).toBe('CONTINUE');
    expect(readVerdict(`x\n${repeated}\nx STOP x`).verdict).toBe('CONTINUE');
  });
});
