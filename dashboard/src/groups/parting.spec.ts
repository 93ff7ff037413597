import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { partingOf, sharedStart, type SampledTurn } from './parting.js';

const turn = (number: number, responseTokenIds: number[], promptTokenIds: number[] = [1]): SampledTurn => ({
  turn: number,
  promptTokenIds,
  responseTokenIds,
});

describe('the parting of a group', () => {
  it('is nowhere if all went alike, if there is one rollout, and if there is none', () => {
    expect([partingOf([]), partingOf([[turn(1, [5])]]), partingOf([[turn(1, [5])], [turn(1, [5])]])]).toEqual([
      undefined,
      undefined,
      undefined,
    ]);
  });

  it('is a token of a later turn if the turns before are the same', () => {
    const first = [turn(1, [5, 6]), turn(2, [7, 8, 9])];
    expect(partingOf([first, [turn(1, [5, 6]), turn(2, [7, 8, 10])]])).toEqual({ by: 'token', turn: 2, token: 2 });
  });

  it('is the token behind the shorter one if one ends where another goes on', () => {
    expect(partingOf([[turn(1, [5, 6])], [turn(1, [5, 6, 7])]])).toEqual({ by: 'token', turn: 1, token: 2 });
  });

  it('is the prompt if a tool answered differently to the same plan', () => {
    const rollouts = [[1], [2]].map((prompt) => [turn(1, [5]), turn(2, [6], prompt)]);
    expect(partingOf(rollouts)).toEqual({ by: 'prompt', turn: 2 });
  });

  it('is a turn that not all take: an agent that stopped, a rollout that failed before its first', () => {
    expect(partingOf([[turn(1, [5]), turn(2, [6])], [turn(1, [5])]])).toEqual({ by: 'end', turn: 2 });
    expect(partingOf([[], [turn(1, [5])]])).toEqual({ by: 'end', turn: 1 });
  });

  it('is behind what all share, however many there are and in whatever order', () => {
    const ids = fc.array(fc.nat(9), { maxLength: 20 });
    fc.assert(
      fc.property(ids, fc.array(ids, { minLength: 1, maxLength: 6 }), ids, (shared, rests, like) => {
        // The first goes on with 10, another with 11; what the others do changes nothing.
        const rollouts = [[10, ...like], [11], ...rests].map((rest) => [turn(1, [...shared, ...rest])]);
        const parted = partingOf(rollouts);
        expect(parted).toEqual({ by: 'token', turn: 1, token: shared.length });
        expect(partingOf(rollouts.toReversed())).toEqual(parted);
      }),
    );
  });
});

describe('the shared start of texts', () => {
  it('holds whole characters alone', () => {
    expect([sharedStart(['a🙋b', 'a🙌b']), sharedStart(['𐐀', '𐐁']), sharedStart(['ab', 'abc'])]).toEqual([
      'a',
      '',
      'ab',
    ]);
  });

  it('begins each of them, and cannot be longer', () => {
    const texts = fc.array(fc.string({ unit: 'binary', maxLength: 8 }), { minLength: 1, maxLength: 4 });
    fc.assert(
      fc.property(texts, fc.string({ unit: 'binary' }), (ends, start) => {
        const whole = ends.map((end) => start + end);
        const shared = sharedStart(whole);
        expect(whole.every((text) => text.startsWith(shared))).toBe(true);
        const next = new Set(whole.map((text) => Array.from(text.slice(shared.length)).at(0) ?? ''));
        expect(next.size > 1 || next.has('')).toBe(true);
      }),
    );
  });
});
