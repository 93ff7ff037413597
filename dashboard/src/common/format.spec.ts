import { describe, expect, it } from '@jest/globals';
import { number } from './format.js';

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
});
