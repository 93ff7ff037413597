import { describe, expect, it } from '@jest/globals';
import { plainCharacters } from './plain-characters.js';
import type { Asked } from './continuation.js';
import { finalStatement } from './statement.js';
import { bare, unwrap, type Notation } from './wrappings.js';

describe('plainCharacters', () => {
  it.each([
    ['Ｐａｒｉｓ３３', 'Paris33'],
    ['𝟑𝟑 𝐁', '33 B'],
    ['−5 ‑ 6', '-5 - 6'],
    ['x² 10⁻³', 'x^2 10^-3'],
    ['x²⁻¹', 'x^(2-1)'],
    ['½ 2½', '1/2 2 1/2'],
    ['“a” ‘b’', '"a" \'b\''],
    ['12\u202f345', '12,345'],
    ['a\u00a0b\u200b', 'a b'],
    ['8∗3∕4', '8*3/4'],
    ['José かぎ C# A−', 'José かぎ C# A-'],
  ])('%j is %j', (text, plain) => expect(plainCharacters(text)).toBe(plain));
});

describe('unwrap', () => {
  const both: Notation[] = ['words', 'mathematics'];

  it('takes one wrapping off after the other, the outermost first', () => {
    expect(unwrap('<answer>**`Paris`**.</answer>', 'words')).toEqual([
      '<answer>**`Paris`**.</answer>',
      '**`Paris`**.',
      '**`Paris`**',
      '`Paris`',
      'Paris',
    ]);
  });

  it.each([
    '33', '**33**', '__33__', '*33*', '_33_', '***33***', '`33`', '```\n33\n```', '```text\n33\n```', '## 33', '* 33', '<b>33</b>',
    '$33$', '$$33$$', '\\(33\\)', '\\[33\\]', '\\[\n33\n\\]', '\\boxed{33}', '\\boxed{\\text{33}}', '$\\boxed{\\mathrm{33}}$',
    '\\text{33}', '\\textbf{33}', '"33"', '“33”', '33.', '33 ✅', '３３', ' 33\n',
  ])('%j is 33 in both notations', (text) => {
    for (const notation of both) expect(bare(text, notation)).toBe('33');
  }); // prettier-ignore

  it.each([
    ['- Paris', 'Paris'],
    ['1. Paris', 'Paris'],
    ['2. Bundesliga', '2. Bundesliga'],
    ['> Paris', 'Paris'],
    ['# Paris', 'Paris'],
    ['- 40', '- 40'],
    ['-40', '-40'],
    ['# 1', '# 1'],
    ['\\text{(B) } zinc', '(B) zinc'],
    ['**B.** Insulin', 'B. Insulin'],
    ['$B$. Insulin', 'B. Insulin'],
    ['M\\*A\\*S\\*H', 'M*A*S*H'],
    ['A$AP Rocky and Ke$ha', 'A$AP Rocky and Ke$ha'],
    ['$5 and $10', '$5 and $10'],
    ['the *quick* fox', 'the quick fox'],
    ['"The Wolf" and "The Hound"', '"The Wolf" and "The Hound"'],
  ])('in words %j is %j', (text, inner) => expect(bare(text, 'words')).toBe(inner));

  it.each([
    ['1{,}234', '1,234'],
    ['12\\,345', '12345'],
    ['33\\text{ miles}', '33 miles'],
    ['60^{\\circ}', '60°'],
    ['33\\%', '33%'],
    ['\\left(\\dfrac12, \\tfrac34\\right)', '(\\frac12, \\frac34 )'],
    ['8 \\times 3 \\cdot 1', '8 × 3 · 1'],
    ['2*3*4', '2*3*4'],
    ['2**3**4', '2**3**4'],
    ['2 *x* 3', '2 *x* 3'],
    ['\\{1, 2\\}', '\\{1, 2\\}'],
    ['- (8 - 4)', '- (8 - 4)'],
    ['> 5', '> 5'],
    ['\\begin{pmatrix}1 \\\\ 2\\end{pmatrix}', '\\begin{pmatrix}1 \\\\ 2\\end{pmatrix}'],
  ])('in mathematics %j is %j', (text, inner) => expect(bare(text, 'mathematics')).toBe(inner));
});

const never = (): boolean => false;
const ANYTHING: Asked = {
  notation: 'words',
  isAnswer: (text) => text !== '',
  isRight: never,
  isRival: never,
  isOther: never,
};

describe('finalStatement', () => {
  const stated = (output: string, notation: Notation = 'words') =>
    finalStatement(output, notation, ANYTHING)!.readings[0];

  it.each([
    ['so <answer> 42 </answer> it is', '42'],
    ['<answer>1</answer> no, <answer>2</answer>', '2'],
    ['<answer>cut off', 'cut off'],
    ['thus \\boxed{\\frac{1}{2}}.', '\\frac{1}{2}'],
    ['\\boxed{1} then \\boxed{3}', '3'],
    ['<answer>\\boxed{7}</answer>', '7'],
    ['\\boxed{1} then <answer>2</answer>', '2'],
    ['First 3, then 4. The answer is 12.', '12'],
    ['**Final answer:** 3.5\nBecause', '3.5'],
    ['### Final Answer\n\n42\n', '42'],
    ['#### 42', '42'],
    ['The answer is Lisbon. That result is well documented.', 'Lisbon'],
    ['The answer is Lisbon. This answer is consistent with the sources.', 'Lisbon'],
    ['The result is 5. The answer is 6. The result is 7.', '6. The result is 7'],
    ['The answer is St. Louis. It is in Missouri.', 'St. Louis'],
    ['The answer is A Quiet Man. The Sequel.', 'A Quiet Man. The Sequel'],
    ['The answer is Oslo because it is the capital.', 'Oslo'],
    ['The answer is Oslo. It is, wait, Bergen.', 'Oslo. It is, wait, Bergen'],
    ['Therefore, Lisbon is the correct answer.', 'Lisbon'],
    ['<think>The answer is Oslo.</think>Lisbon', 'Lisbon'],
    ['<think>The answer is Oslo', ''],
    ['<answer></answer> Lisbon', ''],
    ['Paris', 'Paris'],
    ['\\boxed{never closed', '\\boxed{never closed'],
    ['', ''],
  ])('of %j is %j', (output, answer) => expect(stated(output)).toBe(answer));

  it('is the last one whose object can be an answer', () => {
    const isLetter = (text: string) => /^[A-D]\b/.test(text);
    expect(
      finalStatement('The answer is B. The answer is plain.', 'words', { ...ANYTHING, isAnswer: isLetter })!
        .readings[0],
    ).toMatch(/^B\b/);
  });

  it('keeps an answer that holds the words that introduce one', () => {
    expect(finalStatement('The answer is The Answer Is You.', 'words', ANYTHING)!.verbatim).toContain(
      'The Answer Is You',
    );
  });
});
