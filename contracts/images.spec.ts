import { describe, expect, it } from '@jest/globals';
import { imageTypeOf } from './images.js';

describe('imageTypeOf', () => {
  it.each([
    ['89504e470d0a1a0a0000000d', 'image/png'],
    ['ffd8ffe000104a4649460001', 'image/jpeg'],
    ['524946462400000057454250', 'image/webp'],
    ['474946383961', 'image/gif'],
    ['474946383761', 'image/gif'],
    // RIFF of another kind, half a beginning, SVG, nothing.
    ['524946462400000057415645', undefined],
    ['89504e47', undefined],
    ['3c73766720786d6c6e733d22', undefined],
    ['', undefined],
  ])('tells what begins with %s: %s', (beginning, type) => {
    expect(imageTypeOf(Buffer.from(beginning, 'hex'))).toBe(type);
  });
});
