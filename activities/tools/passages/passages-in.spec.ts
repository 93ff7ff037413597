import { describe, expect, it } from '@jest/globals';
import { passagesIn } from './passages-in.js';

const passage = { title: 'Ada', text: 'Ada wrote. She counted.' };

describe(passagesIn, () => {
  it.each([
    ['title and text', { id: '1', title: 'Ada', text: 'Ada wrote. She counted.' }],
    ['contents, the title in its first line', { id: '1', contents: 'Ada\nAda wrote. She counted.' }],
    ['contents, the title quoted', { id: '1', contents: '"Ada"\nAda wrote. She counted.' }],
    ['contents beside a title', { id: '1', title: 'Ada', contents: 'Ada wrote. She counted.' }],
    ['contents beside the title that it begins with', { title: 'Ada', contents: 'Ada\nAda wrote. She counted.' }],
    ['a context of pairs', { question: 'Who?', context: [['Ada', ['Ada wrote.', ' She counted.']]] }],
    [
      'a context of lists',
      { question: 'Who?', context: { title: ['Ada'], sentences: [['Ada wrote.', ' She counted.']] } },
    ],
    ['a context of lists called content', { context: { title: ['Ada'], content: [['Ada wrote.', 'She counted.']] } }],
    ['a context of objects', { context: [{ title: 'Ada', text: 'Ada wrote. She counted.' }] }],
    ['a context as JSON', { context: '[["Ada", ["Ada wrote.", "She counted."]]]' }],
    [
      'a context in metadata',
      { metadata: { context: { title: ['Ada'], sentences: [['Ada wrote.', 'She counted.']] } } },
    ],
    ['a paragraph beside a title', { title: 'Ada', context: 'Ada wrote. She counted.', question: 'Who?' }],
    ['a title of two lines', { title: ' Ada\n', text: '\tAda wrote. She counted.\n' }],
  ])('reads %s', (_, row) => {
    expect(passagesIn(row)).toEqual([passage]);
  });

  it('reads contents of one line as a text without a title', () => {
    expect(passagesIn({ id: 1, contents: 'Ada wrote.' })).toEqual([{ title: '', text: 'Ada wrote.' }]);
  });

  it('leaves out empty paragraphs of a context', () => {
    expect(
      passagesIn({
        context: [
          ['Empty', []],
          ['Ada', ['Ada wrote.', ' She counted.']],
          ['Blank', [' ']],
        ],
      }),
    ).toEqual([passage]);
  });

  it('replaces NUL and half characters, which no result could keep', () => {
    expect(passagesIn({ title: 'A\0', text: 'b\ud800c' })).toEqual([{ title: 'A\ufffd', text: 'b\ufffdc' }]);
  });

  it.each([
    ['nothing to read', { id: '1', body: 'x' }, 'has no contents or text or context'],
    ['an empty text', { id: '1', title: 'Ada', text: ' ' }, 'has no text'],
    ['an empty context', { context: [] }, 'has no text'],
    ['numbers as a context', { context: [1, 2] }, 'has a context that is not a list of [title, [sentences]]'],
    ['lists of two lengths', { context: { title: ['A', 'B'], sentences: [['x']] } }, 'has a context that is not'],
    ['a text of a megabyte', { text: 'x '.repeat(500_000) }, 'has a passage of 999999 bytes, and may have 524288'],
  ])('refuses %s', (_, row, words) => {
    expect(() => passagesIn(row)).toThrow(words);
  });
});
