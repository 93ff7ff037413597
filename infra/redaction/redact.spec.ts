import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { readSecret } from '../config/secrets.js';
import { MASK, redact, redactedStart, redactKnown, redactKnownIn } from './redact.js';
import { ENCODINGS } from './testing/encodings.js';

const remember = (key: string) => readSecret({ env: 'KEY' }, { KEY: key });

const keys = fc.string({
  unit: fc.integer({ min: 0x21, max: 0x7e }).map((code) => String.fromCharCode(code)),
  minLength: 8,
  maxLength: 60,
});

describe('redact', () => {
  it.each([
    ['connect postgres://me:hunter2@db:5432/x failed', 'connect postgres://***@db:5432/x failed'],
    ['Authorization: Bearer abc.def', 'Authorization: *** ***'],
    ['aUTHORIZATION: bEARER abc.def', 'aUTHORIZATION: *** ***'],
    ['401 for Bearer abc.def-1', '401 for Bearer ***'],
    ['password=hunter2;host=db', 'password=***;host=db'],
    ['{"api_key": "k-123", "a": 1}', '{"api_key": ***, "a": 1}'],
    ['{\\"api_key\\": \\"k-123\\", \\"a\\": 1}', '{\\"api_key\\": ***, \\"a\\": 1}'],
    ['access_token=abc', 'access_token=***'],
    ['my-secret: abc', 'my-secret: ***'],
    ['signed with whsec_C2FVsBQIhrscChlQIM+b/w==.', 'signed with ***.'],
  ])('%s', (text, expected) => {
    expect(redact(text)).toBe(expected);
  });

  it('leaves ordinary messages alone', () => {
    const text = 'The prompt has 2100 tokens: http://127.0.0.1:8460/v1 takes 2048, tokens: 3, a@b';
    expect(redact(text)).toBe(text);
  });

  /** Quadratic, a mebibyte would be 10^12 steps: days. So that this ends at all is what is shown. */
  it('is linear in the length, whatever the text repeats', () => {
    remember('a-a-a-a-b');
    const fragments = [
      ...['a-', 'a', 'A_', '://', 'x://a', ':', '@', 'password', 'password ', 'password=', 'password="', "secret='"],
      ...[
        'token=',
        'token ',
        '-token',
        'bearer ',
        'basic',
        'sk-',
        'whsec_',
        'af_',
        '\\',
        '\\"',
        '\\u006',
        '%',
        '%2',
        '%25',
        '&#',
      ],
      ...['\n    ', '<br>\n', '\\\n', '61\n  2d'],
      ...['&#0', '&amp', '&quot;', '=', ' ', '\n', 'YS1h', '612d', '"', '\\\\u0061-', '%61-', '&#97;-'],
    ];
    const repeated = fc
      .array(fc.constantFrom(...fragments), { minLength: 1, maxLength: 3 })
      .map((parts) => parts.join('').repeat(2 ** 20 / parts.join('').length));
    fc.assert(
      fc.property(repeated, (text) => {
        expect(redact(text).length).toBeLessThanOrEqual(4 * text.length);
      }),
      { numRuns: 15, examples: [['a-'.repeat(2 ** 19)], ['a'.repeat(2 ** 20)], ['password"'.repeat(100_000)]] },
    );
  });
});

describe('redactedStart', () => {
  const key = 'cut-in-the-middle-of-it';

  it('redacts before it cuts: half a key is not left', () => {
    remember(key);
    for (let limit = 1; limit < 40; limit += 1)
      expect(redactedStart(`abc ${key} def`, limit)).toBe(`abc ${MASK} def`.slice(0, limit));
  });

  it('cuts no key in two in a text of which it reads the beginning only', () => {
    remember(key);
    for (let shift = 0; shift < key.length; shift += 1) {
      const shown = redactedStart('.'.repeat(shift) + key.repeat(10_000), 1_000);
      expect(shown).toMatch(/^\.*(\*{3})?$/);
    }
  });
});

describe('redactKnown', () => {
  it.each(Object.entries(ENCODINGS))('takes a key out that is written %s, whatever it is (I6)', (_, encode) => {
    fc.assert(
      fc.property(keys, fc.string({ maxLength: 5 }), fc.string({ maxLength: 5 }), (key, before, after) => {
        remember(key);
        const [left, right] = [`${encode(before)} `, ` ${encode(after)}`];
        const [head, tail] = redactKnown(left + encode(key) + right).split(MASK);
        expect(left.startsWith(head)).toBe(true);
        expect(right.endsWith(tail)).toBe(true);
      }),
      { numRuns: 30 },
    );
  });

  it.each(['base64', 'base64url'] as const)('takes a key out of %s, whatever stands beside it', (encoding) => {
    fc.assert(
      fc.property(
        keys,
        fc.uint8Array({ maxLength: 7 }),
        fc.uint8Array({ maxLength: 7 }),
        fc.nat(70),
        (key, before, after, fold) => {
          remember(key);
          const bytes = Buffer.concat([before, Buffer.from(key), after]);
          const whole = bytes.toString(encoding);
          const lines = fold < 20 ? whole : whole.replaceAll(new RegExp(`.{${fold}}`, 'g'), '$&\r\n');
          const [head, tail] = redactKnown(lines).replaceAll(/\s/g, '').split(MASK);
          // No character that is left holds a bit of the key.
          expect(whole.startsWith(head)).toBe(true);
          expect(head.length * 6).toBeLessThanOrEqual(before.length * 8);
          expect(whole.endsWith(tail)).toBe(true);
          expect((whole.length - tail.length) * 6).toBeGreaterThanOrEqual((before.length + key.length) * 8);
        },
      ),
      { numRuns: 60 },
    );
  });

  it.each(['base64', 'hex'] as const)('takes a key out of %s that is folded, however its lines begin', (encoding) => {
    const breaks = fc.constantFrom(
      '\n',
      '\r\n',
      '\n    ',
      '\r\n ',
      '\n\t',
      '<br>\n',
      '<br />\n  ',
      '\n> ',
      '\n> > ',
      '\\\n',
      '\n  | ',
    );
    fc.assert(
      fc.property(
        keys,
        fc.uint8Array({ maxLength: 7 }),
        breaks,
        fc.integer({ min: 4, max: 76 }),
        (key, before, fold, width) => {
          remember(key);
          const text = Buffer.concat([before, Buffer.from(key)]).toString(encoding);
          const folded = text.replaceAll(
            new RegExp(`.{${2 * Math.floor(width / 2)}}(?!$)`, 'g'),
            (line) => line + fold,
          );
          const said = redactKnown(`data: |${fold}${folded}\n.`);
          expect(said).toContain(MASK);
          const left = said.split(MASK)[0].slice(`data: |${fold}`.length).replaceAll(fold, '').length;
          expect(left * (encoding === 'hex' ? 4 : 6)).toBeLessThanOrEqual(before.length * 8);
          // Only what fills up the last bytes stays, which a fold may divide.
          const after = said.slice(said.lastIndexOf(MASK) + MASK.length, -'\n.'.length);
          expect(after.replaceAll(fold, '')).toMatch(/^=*$/);
        },
      ),
      { numRuns: 60 },
    );
  });

  it('takes out keys that hold or overlap each other as one', () => {
    for (const key of ['outer-inner-key-outer', 'inner-key', 'key-outer-and-more']) remember(key);
    expect(redactKnown('a outer-inner-key-outer-and-more b, inner-key.')).toBe(`a ${MASK} b, ${MASK}.`);
  });

  it('takes out a key that was read after other texts were redacted', () => {
    expect(redactKnown('read-later-on')).toBe('read-later-on');
    remember('read-later-on');
    expect(redactKnown('read-later-on')).toBe(MASK);
  });

  it('leaves what is no key, whatever it could be decoded to', () => {
    remember('marked+key');
    for (const text of [
      'a marked grave',
      'marked%key',
      '100 %',
      '\\u00zz',
      '&#99999999;',
      '&;',
      '%',
      '\\',
      'bWFya2Vk',
    ]) {
      expect(redactKnown(text)).toBe(text);
    }
  });

  it('looks into all texts of a value, names included, and keeps what is none', () => {
    const key = remember('deep-in-a-value');
    expect(redactKnownIn({ [key]: [1, null, true, { a: `x ${key}` }] })).toEqual({
      [MASK]: [1, null, true, { a: `x ${MASK}` }],
    });
  });
});
