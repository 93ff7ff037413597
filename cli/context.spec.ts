import { expect, it } from '@jest/globals';
import { harmless } from './context.js';

it.each([
  ['\u001b[31mred', '\\u001b[31mred'],
  ['a\r\nb', 'a\\u000d\nb'],
  ['\u202eevil', '\\u202eevil'],
  ['\u009b2J', '\\u009b2J'],
  ['tab\tand é 日本', 'tab\tand é 日本'],
])('%j is printed as %j', (text, printed) => {
  expect(harmless(text)).toBe(printed);
});

it('prints the JSON of any text as JSON of the same text', () => {
  const text = '\u001b\u009b\u202e\u2066';
  expect(JSON.parse(harmless(JSON.stringify({ text })))).toEqual({ text });
});
