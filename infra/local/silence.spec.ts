import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { Silence } from './silence.js';

describe(Silence, () => {
  it('is the time since the last answer, as long as this process itself runs', () => {
    fc.assert(
      fc.property(fc.array(fc.record({ ms: fc.integer({ min: 0, max: 5_000 }), answer: fc.boolean() })), (steps) => {
        let now = 1_000;
        let expected = 0;
        const silence = new Silence(() => now);
        for (const { ms, answer } of steps) {
          now += ms;
          expected += ms;
          expect(silence.measure()).toBe(expected);
          if (answer) silence.answered();
          if (answer) expected = 0;
        }
      }),
    );
  });

  it('begins anew with an answer between two looks', () => {
    let now = 0;
    const silence = new Silence(() => now);
    now = 3_000;
    silence.answered();
    now = 3_100;
    expect(silence.measure()).toBe(100);
  });

  it('does not count a night in which the machine slept', () => {
    let now = 0;
    const silence = new Silence(() => now);
    now += 8 * 3600 * 1000;
    expect(silence.measure()).toBe(5_000);
  });
});
