import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { heatOf, moved } from './token-heat.js';

describe('the heat of a token', () => {
  it('is none for a certain token, and full for an unlikely one', () => {
    expect([0, -2.5, -5, -80, Number.NEGATIVE_INFINITY].map((value) => heatOf('logprob', value))).toEqual([
      0, 0.5, 1, 1, 1,
    ]);
  });

  it('is the same for an advantage and its negative', () => {
    expect([0, 1, -1, 2, -7].map((value) => heatOf('advantage', value))).toEqual([0, 0.5, 0.5, 1, 1]);
  });

  it('is none without a value', () => {
    expect([heatOf('advantage', null), heatOf('logprob', Number.NaN)]).toEqual([0, 0]);
  });

  it('is a share, whatever the value', () => {
    fc.assert(
      fc.property(fc.constantFrom('logprob' as const, 'advantage' as const), fc.double(), (measure, value) => {
        const heat = heatOf(measure, value);
        return heat >= 0 && heat <= 1;
      }),
    );
  });
});

describe('a key on a row of tokens', () => {
  it('moves to a neighbour, the first or the last, and never out of the row', () => {
    const to = (key: string, from: number) => moved(key, from, 3);
    expect([to('ArrowRight', -1), to('ArrowRight', 2), to('ArrowLeft', 0), to('End', 0), to('Home', 2)]).toEqual([
      0, 2, 0, 2, 0,
    ]);
  });

  it('moves nothing if it is another key, or if there is no token', () => {
    expect([moved('a', 0, 3), moved('Tab', 0, 3), moved('ArrowRight', -1, 0)]).toEqual([
      undefined,
      undefined,
      undefined,
    ]);
  });
});
