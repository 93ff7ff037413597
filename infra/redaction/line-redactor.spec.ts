import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { readSecret } from '../config/secrets.js';
import { LineRedactor } from './line-redactor.js';
import { MASK, redact } from './redact.js';
import { ENCODINGS } from './testing/encodings.js';

const remember = (key: string) => readSecret({ env: 'KEY' }, { KEY: key });

describe(LineRedactor, () => {
  const key = 'streamed/key+in"pieces';
  const encoded = Object.values(ENCODINGS).map((encode) => encode(key));
  const base64 = Buffer.from(`user:${key} and a text that is long enough to be folded into lines`).toString('base64');

  it('gives what the whole text gives, wherever it is cut', () => {
    remember(key);
    const folded = base64.replaceAll(/.{20}/g, '$&\n');
    const line = fc.constantFrom(...encoded, base64, folded, 'a line', '', 'streamed/key', base64.slice(0, 30));
    const chunks = fc.array(fc.integer({ min: 1, max: 30 }), { minLength: 1, maxLength: 20 });
    fc.assert(
      fc.property(fc.array(line, { maxLength: 12 }), chunks, (lines, sizes) => {
        const text = lines.join('\n');
        const redactor = new LineRedactor();
        let passed = '';
        for (let at = 0, turn = 0; at < text.length; turn += 1) {
          const size = sizes[turn % sizes.length];
          passed += redactor.push(text.slice(at, at + size));
          at += size;
        }
        expect(passed + redactor.end()).toBe(redact(text));
      }),
    );
  });

  it('holds no finished line back that is no beginning of a key', () => {
    expect(new LineRedactor().push('first\nsecond\nthi')).toBe('first\nsecond\n');
  });

  it('passes a line without end on in parts, with no key cut in two', () => {
    remember(key);
    const redactor = new LineRedactor();
    let passed = '';
    let largest = 0;
    for (let part = 0; part < 300; part += 1) {
      passed += redactor.push(`${'x'.repeat(part)} ${key} ${'y'.repeat(997)}`);
      largest = Math.max(largest, part * 1_000 - passed.length);
    }
    passed += redactor.end();
    expect(passed.split(MASK)).toHaveLength(301);
    expect(passed).not.toMatch(/streamed|pieces/);
    expect(largest).toBeLessThan(2 * 64 * 1024);
  });
});
