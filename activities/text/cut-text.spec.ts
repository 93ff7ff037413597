import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { cutText, MEMORY_BYTES } from './cut-text.js';

describe('cutText', () => {
  it('leaves a text within the limit as it is', () => {
    expect(cutText('a'.repeat(MEMORY_BYTES))).toHaveLength(MEMORY_BYTES);
  });

  it('cuts at a character, never above the limit, and says how long the text was', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'grapheme', minLength: 200, maxLength: 400 }), (text) => {
        const limit = 120;
        const cut = cutText(text, limit);
        expect(Buffer.byteLength(cut)).toBeLessThanOrEqual(limit);
        expect(cut).toContain(`[cut: ${Buffer.byteLength(text)} bytes in all]`);
        expect(text.startsWith(cut.split('\n[cut: ')[0])).toBe(true);
      }),
    );
  });
});
