import { describe, expect, it } from '@jest/globals';
import { duration, number, percent } from './format.js';

describe('values for people', () => {
  it.each([
    [null, '–'],
    [undefined, '–'],
    [Number.NaN, '–'],
    [0, '0'],
    [1234567, '1,234,567'],
    [0.123456, '0.1235'],
    [-0.5, '-0.5'],
    [0.000123456, '1.23e-4'],
    [12345678.5, '1.23e+7'],
  ])('%p is %s', (value, text) => expect(number(value)).toBe(text));

  it.each([
    [0, '0 s'],
    [0.4, '0 s'],
    [59.6, '1 min'],
    [61, '1 min 1 s'],
    [7_500, '2 h 5 min'],
    [90_000, '1 d 1 h'],
    [86_430, '1 d'],
    [-5, '0 s'],
  ])('%p seconds are %s', (seconds, text) => expect(duration(seconds)).toBe(text));

  it('gives a share in percent', () => {
    expect([percent(0.1234), percent(1), percent(null)]).toEqual(['12.3 %', '100.0 %', '–']);
  });
});
