import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { Lexer, parseDocument } from 'yaml';
import { DOCUMENT_BOUNDS, DocumentRefused } from './document-bounds.js';
import { parseJson } from './json-document.js';
import { JsonScanner } from './json-scanner.js';
import { readTextFile } from './read-text-file.js';
import { MAX_SIGNS, MAX_TOKENS, MAX_YAML_BYTES, parseYaml, requireCheap } from './yaml-document.js';

const repeat = (count: number, item: (n: number) => string) => Array.from({ length: count }, (_, n) => item(n)).join();

/** What is too much, as JSON, and what the message says. */
const TOO_MUCH: [string, string, RegExp][] = [
  ['two million keys', `{${repeat(2_000_000, (n) => `"k${n}":0`)}}`, /more than 5000 keys/],
  ['keys in many objects', `[${repeat(6_000, () => '{"a":0}')}]`, /more than 5000 keys/],
  ['a long list', `[${'0,'.repeat(20_001)}0]`, /more than 20000 items/],
  ['lists without end', '['.repeat(30_000), /nested too deeply/],
  ['objects without end', '{"a":'.repeat(30_000), /nested too deeply/],
  ['a long key', `{"${'k'.repeat(257)}":0}`, /key is longer than 256 bytes/],
  ['a long text', `["${'x'.repeat(1024 * 1024 + 1)}"]`, /text is longer than 1048576 bytes/],
  ['a long number', `[${'1'.repeat(65)}]`, /number is written with more than 64 characters/],
  ['a key twice', '{"a":1,"b":{"a":2},"\\u0061":3}', /the key "a" twice/],
  ['a number that overflows', '{"a":[1e999]}', /a\[0\] is not a finite number/],
  ['a number that is not kept', '{"a":9007199254740993}', /a is a number beyond 2\^53 - 1/],
  ['a prototype', '{"a":{"__proto__":{}}}', /a\.__proto__ is a key that cannot be used/],
  ['a NUL', '{"a":"\\u0000"}', /a holds a NUL character/],
  ['half a character', '{"a":"\\ud800"}', /a holds half of a surrogate pair/],
];

describe('JSON from outside (I16)', () => {
  it.each(TOO_MUCH)('is refused by name: %s', (_, text, message) => {
    expect(() => parseJson(text)).toThrow(DocumentRefused);
    expect(() => parseJson(text)).toThrow(message);
  });

  it('is refused at the first key too many, whatever follows', () => {
    const scanner = new JsonScanner(DOCUMENT_BOUNDS);
    scanner.write(Buffer.from(`{${repeat(5_000, (n) => `"k${n}":0`)}`));
    expect(() => scanner.write(Buffer.from(',"one more"'))).toThrow(/more than 5000 keys/);
  });

  it('is parsed as JSON.parse does, wherever its bytes are cut', () => {
    const value = fc.jsonValue({ maxDepth: 4, noUnicodeString: false }).filter((v) => isStorable(v));
    fc.assert(
      fc.property(value, fc.nat(), fc.boolean(), (part, cut, pretty) => {
        const text = JSON.stringify({ part }, undefined, pretty ? 2 : undefined);
        expect(parseJson(text)).toEqual(JSON.parse(text));
        const bytes = Buffer.from(text);
        const scanner = new JsonScanner(DOCUMENT_BOUNDS);
        scanner.write(bytes.subarray(0, cut % bytes.length));
        scanner.write(bytes.subarray(cut % bytes.length));
      }),
    );
  });

  it('counts keys, items and depth exactly', () => {
    const nested = fc.letrec<{ value: unknown }>((tie) => ({
      value: fc.oneof(
        { depthSize: 'small' },
        fc.constantFrom('{[,:]}"', '\\"', 'x', 1, null),
        fc.array(tie('value'), { maxLength: 4 }),
        fc.dictionary(fc.constantFrom('a', 'b,', 'c:{"', 'd\\'), tie('value')),
      ),
    })).value;
    fc.assert(
      fc.property(nested, (value) => {
        const { keys, items, depth } = count(value);
        const exact = { ...DOCUMENT_BOUNDS, keys, items, depth };
        const scan = (bounds: typeof exact) => new JsonScanner(bounds).write(Buffer.from(JSON.stringify(value)));
        scan(exact);
        if (keys > 0) expect(() => scan({ ...exact, keys: keys - 1 })).toThrow(/keys/);
        if (items > 0) expect(() => scan({ ...exact, items: items - 1 })).toThrow(/items/);
        if (depth > 0) expect(() => scan({ ...exact, depth: depth - 1 })).toThrow(/deeply/);
      }),
    );
  });
});

/** What a YAML text is made of, right or wrong. */
const FRAGMENTS = [
  ...[
    '"',
    "'",
    '""',
    '"" ',
    '[',
    ']',
    '{',
    '}',
    ',',
    ':',
    ': ',
    '- ',
    '? ',
    '|',
    '>',
    '|+\n',
    '>-\n',
    '#',
    ' #',
    '@',
    '`',
  ],
  ...['%', '%\n', '%YAML 1.2\n', '%TAG ! a\n', '---\n', '...\n', '--- ', '&a ', '&', '*a ', '*', '!a ', '!!str ', '!<'],
  ...[
    '\n',
    '\r\n',
    '\r',
    ' ',
    '\t',
    ' \n',
    '\n ',
    '\n  ',
    '\ufeff',
    '\u2028',
    'a',
    'a ',
    'a: ',
    '\na: ',
    'a b',
    '1',
    '~',
  ],
  ...[
    '\\',
    '\\z',
    '\\x',
    '\\u00',
    '\\n',
    '\\\n',
    '"\\z" ',
    'a: "b"\n',
    '- "a"\n',
    "'a' ",
    '"a" #b\n',
    '[]',
    '{} ',
    '[a, ',
    '{a: ',
  ],
];

function isCheap(text: string): boolean {
  try {
    requireCheap(text, DOCUMENT_BOUNDS);
    return true;
  } catch (error) {
    if (error instanceof DocumentRefused) return false;
    throw error;
  }
}

describe('YAML from outside (I16)', () => {
  it.each<[string, string, RegExp]>([
    ['keys without end', repeat(5_000, (n) => `\nk${n}: 0`).replaceAll(',', ''), /more than 4000 signs/],
    ['brackets that close nothing', '}'.repeat(60_000), /signs|deeply|flow-map/],
    ['keys after question marks', '? '.repeat(30_000), /"\? " before a key/],
    ['dashes without end', '- '.repeat(30_000), /nested too deeply/],
    ['brackets without end', '['.repeat(30_000), /nested too deeply/],
    ['indentation without end', repeat(300, (n) => `\n${' '.repeat(n)}a:`).replaceAll(',', ''), /nested too deeply/],
    ['a text that is too long', `a: ${'x'.repeat(MAX_YAML_BYTES)}`, /larger than the 65536 bytes/],
    ['a list in itself', '&a [*a]', /alias|deeply/i],
    ['no number', 'steps: .nan', /steps is not a finite number/],
    ['infinity', 'a: [-.inf]', /a\[0\] is not a finite number/],
    ['a number that is not kept', 'a: 9007199254740993', /beyond 2\^53 - 1/],
    ['a NUL', 'a: "\\0"', /NUL/],
    ['a prototype', '__proto__: {a: 1}', /__proto__ is a key that cannot be used/],
    ['quotes without end', '"'.repeat(60_000), /more than 4000 signs/],
    ['directives without end', '%\n'.repeat(30_000), /more than 4000 signs/],
    ['empty lines without end', '\n'.repeat(60_000), /more than 32000 tokens/],
    ['comments without end', `a:\n${' #\n'.repeat(20_000)}`, /more than 32000 tokens/],
    [
      'an escape that is none',
      `a: 1\nb: "${'\\z'.repeat(29_000)}"`,
      /^Invalid escape sequence \\z at line 2, column 5$/,
    ],
    ['an escape that is cut', 'a: "\\xz"', /^Invalid escape sequence \\xz" at line 1, column 5$/],
    ['bytes', 'a: !!binary aGk=', /tag/],
    ['a time', 'a: !!timestamp 2001-01-01', /tag/],
    ['a set', 'a: !!set {b}', /tag/],
    ['a key twice', 'a: 1\nb: 2\na: 3', /unique at line 3, column 1/],
    ['a key twice in brackets', '[{"a": 1, a: 2}]', /unique at line 1, column 11/],
    ['two documents', 'a: 1\n---\nb: 2', /^it holds several documents: another one begins at line 2, column 1$/],
  ])('is refused by name: %s', (_, text, message) => {
    expect(() => parseYaml(text)).toThrow(DocumentRefused);
    expect(() => parseYaml(text)).toThrow(message);
  });

  it('costs the parser no more than a bounded number of tokens and errors, whatever is repeated in it', () => {
    const fragment = fc
      .array(fc.constantFrom(...FRAGMENTS), { minLength: 1, maxLength: 4 })
      .map((parts) => parts.join(''));
    fc.assert(
      fc.property(fragment, fragment, fragment, (start, repeated, end) => {
        const text = start + repeated.repeat((MAX_YAML_BYTES - 200) / Buffer.byteLength(repeated)) + end;
        if (!isCheap(text)) return;
        expect([...new Lexer().lex(text)].length).toBeLessThanOrEqual(MAX_TOKENS);
        const { errors, warnings } = parseDocument(text, { prettyErrors: false, uniqueKeys: false });
        expect(errors.length + warnings.length).toBeLessThanOrEqual(2 * MAX_SIGNS);
      }),
      { examples: FRAGMENTS.map((repeated) => ['', repeated, '']) },
    );
  }, 120_000);

  it('keeps what it accepts: a date and an octal of old are texts and numbers of the core schema', () => {
    expect(parseYaml('\ufeffa: 2001-01-01\nb: 010\nc: 0o10\nd: yes\ne: "{[,:]}"\nf:\n-')).toEqual({
      a: '2001-01-01',
      b: 10,
      c: 8,
      d: 'yes',
      e: '{[,:]}',
      f: [null],
    });
  });
});

function isStorable(value: unknown): boolean {
  const text = JSON.stringify(value);
  return !/__proto__|\\u0000|\\ud[89a-f]/i.test(text) && !/\d{16}/.test(text) && !/e\+/.test(text);
}

function count(value: unknown): { keys: number; items: number; depth: number } {
  if (typeof value !== 'object' || value === null) return { keys: 0, items: 0, depth: 0 };
  const parts = Object.values(value).map(count);
  const own = Array.isArray(value) ? { keys: 0, items: Math.max(1, value.length) } : { keys: parts.length, items: 0 };
  return {
    keys: own.keys + parts.reduce((sum, { keys }) => sum + keys, 0),
    items: own.items + parts.reduce((sum, { items }) => sum + items, 0),
    depth: 1 + Math.max(0, ...parts.map(({ depth }) => depth)),
  };
}

describe(readTextFile, () => {
  it('reads no file without end (I16)', () => {
    expect(() => readTextFile('/dev/zero')).toThrow(/larger than 1048576 bytes/);
  });

  it('reads what is there, and says what is not', () => {
    expect(JSON.parse(readTextFile('package.json'))).toMatchObject({ name: 'agentflow' });
    expect(() => readTextFile('none.json')).toThrow(/ENOENT/);
  });
});
