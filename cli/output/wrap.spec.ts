import { describe, expect, it } from '@jest/globals';
import stringWidth from 'string-width';
import { wrap } from './wrap.js';

describe('wrap', () => {
  it.each([
    ['', ['']],
    ['one two three', ['one two', 'three']],
    ['one two', ['one two']],
    ['abcdefghijk', ['abcdefgh', 'ijk']],
    ['ab cdefghijklm', ['ab cdefg', 'hijklm']],
    ['a\n\nb', ['a', '', 'b']],
    ['  x = 1', ['  x = 1']],
    ['東京都の人口は何人ですか', ['東京都の', '人口は何', '人ですか']],
  ])('%j', (text, lines) => {
    expect(wrap(text, 8)).toEqual(lines);
  });

  it('gives no line that is too wide, and loses nothing but spaces', () => {
    const text = 'Der Donaudampfschifffahrtsgesellschaftskapitän\tsagt: 東京 👩‍👩‍👧 e\u0301 …'.repeat(7);
    for (const columns of [8, 13, 40, 69]) {
      const lines = wrap(text, columns);
      for (const line of lines) expect(stringWidth(line)).toBeLessThanOrEqual(columns);
      expect(lines.join('').replaceAll(' ', '')).toBe(text.replaceAll(/\s/g, ''));
    }
  });
});
