import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import type { Truth } from '../datasets/items/truth.js';
import { solvableQuadruples } from '../datasets/game24/solvable.js';
import { scoreByRules, wordsOfTruth } from './score-by-rules.js';

const rule = (answer: string, truth: Truth) => scoreByRules(answer, truth).ruling;

describe('numbers', () => {
  const truth: Truth = { kind: 'number', value: '204' };

  it.each([
    '204',
    ' 204. ',
    '204.0',
    '+204',
    '0204',
    '408/2',
    '\\frac{408}{2}',
    '2.04E2',
    '$204$',
    '\\boxed{204}',
    '\\text{204}',
    'x = 204',
    'It takes 204 minutes.',
    'The answer is **204**.',
  ])('%j is 204', (answer) => expect(rule(answer, truth)).toBe('right'));

  it.each(['205', '-204', '0', '', '20', 'It takes 205 minutes.', '2.04', '203.5'])('%j is not', (answer) => {
    expect(rule(answer, truth)).toBe('wrong');
  });

  it.each(['two hundred and four', 'between 203 and 204', '204 or 205'])('%j is for a judge', (answer) => {
    expect(rule(answer, truth)).toBe('undecided');
  });

  it('reads thousands separators, and tells great numbers apart to the last digit', () => {
    expect(rule('1,234,567', { kind: 'number', value: '1234567' })).toBe('right');
    expect(rule('12345678901234567891', { kind: 'number', value: '12345678901234567890' })).toBe('wrong');
  });
});

describe('expressions', () => {
  it.each([
    ['0.5', '\\frac{1}{2}'],
    ['\\dfrac12', '1/2'],
    ['\\frac{\\sqrt{2}}{2}', '\\frac{1}{\\sqrt 2}'],
    ['\\sqrt{12}', '2\\sqrt{3}'],
    ['\\sqrt[3]{8}', '2'],
    ['e^{i\\pi}', '-1'],
    ['2\\pi', '\\pi \\cdot 2'],
    ['(x+1)^2', 'x^2 + 2x + 1'],
    ['x(x+1)', 'x^2+x'],
    ['\\sin(x)^2 + \\cos(x)^2', '1'],
    ['\\ln(4)', '2\\ln(2)'],
    ['f(x) = x^{-1}', '\\frac{1}{x}'],
    ['\\infty', '\\infty'],
    ['(1, \\frac{1}{2})', '\\left(1, 0.5\\right)'],
    ['\\{3, 1, 2\\}', '\\{1,2,3\\}'],
    ['[0, 1)', '\\left[0, 1\\right)'],
    ['5!', '120'],
    ['|{-3}|', '3'],
    ['10^{100}', '10^{99} \\times 10'],
    ['Yes', 'yes'],
  ])('%j equals %j', (answer, truth) => {
    expect(rule(answer, { kind: 'expression', value: truth })).toBe('right');
    expect(rule(truth, { kind: 'expression', value: answer })).toBe('right');
  });

  it.each([
    ['\\frac{1}{3}', '\\frac{1}{2}'],
    ['x+1', 'x-1'],
    ['xy', 'x+y'],
    ['-\\infty', '\\infty'],
    ['(0, 1)', '[0, 1]'],
    ['(1, 2)', '(2, 1)'],
    ['\\{1, 2\\}', '\\{1, 3\\}'],
    ['2^{100}+1', '2^{100}'],
    ['', '0'],
  ])('%j is not %j', (answer, truth) => {
    expect(rule(answer, { kind: 'expression', value: truth })).toBe('wrong');
  });

  it.each([
    ['0.333', '\\frac{1}{3}'],
    ['5 m', '5'],
    ['0.7071', '\\frac{\\sqrt{2}}{2}'],
    ['the limit does not exist', '0'],
    ['\\int_0^1 x dx', '\\frac12'],
    ['\\begin{pmatrix}1\\end{pmatrix}', '1'],
    ['False', 'No'],
  ])('%j against %j is for a judge', (answer, truth) => {
    expect(rule(answer, { kind: 'expression', value: truth })).toBe('undecided');
  });

  it('never throws and never runs for long, whatever the text', () => {
    const hostile = [
      '9^9^9^9^9',
      '9!!!!!!',
      '2^(2^(2^(2^(2^2))))',
      '('.repeat(200),
      '1e999',
      '1/0',
      '0/0',
      '0^0',
      '0^(-1)',
      'a'.repeat(499),
      '\\frac{1}',
      '\\sqrt',
      '{}',
      '\\',
      'import("fs")',
      'cube(1)',
      'constructor',
      '__proto__(1)',
      '\\frac'.repeat(80),
      '(1,2)+(3)',
      "x'",
      'x=',
      '=',
      ',',
      '1,,2',
      '(,)',
      '10^4096',
      '7^4096',
      '170!',
      '171!',
      '200!',
      '(-1)!',
    ];
    for (const answer of hostile) {
      for (const value of ['1', 'x', '(1, 2)', answer])
        expect(['right', 'wrong', 'undecided']).toContain(rule(answer, { kind: 'expression', value }));
    }
    const noise = fc.string({
      unit: fc.constantFrom(...'0123456789+-*/^()[]{}\\,.xyei!|$ ', '\\frac', '\\sqrt', '\\pi'),
      maxLength: 30,
    });
    fc.assert(
      fc.property(noise, noise, (answer, value) => {
        expect(['right', 'wrong', 'undecided']).toContain(rule(answer, { kind: 'expression', value }));
      }),
      { numRuns: 1000 },
    );
  });

  it('decides about fractions as exact arithmetic does', () => {
    const whole = fc.bigInt({ min: -1_000_000n, max: 1_000_000n });
    fc.assert(
      fc.property(whole, whole, fc.bigInt({ min: 1n, max: 10_000n }), (a, b, d) => {
        const ruling = rule(`${a}/${d}`, { kind: 'expression', value: `\\frac{${b}}{${d}}` });
        if (a === b) expect(ruling).toBe('right');
        else expect(ruling).not.toBe('right');
        expect(
          rule(`(${a} + ${b})/${d}`, { kind: 'expression', value: `\\frac{${a}}{${d}} + \\frac{${b}}{${d}}` }),
        ).toBe('right');
      }),
    );
  });
});

describe('choices', () => {
  const truth: Truth = { kind: 'choice', letter: 'B', choices: ['Glucagon', 'Insulin', '+1', '-1'] };

  it.each([
    'B',
    'b',
    '(B)',
    'B.',
    'B. Insulin',
    '(B) insulin',
    'insulin',
    'The answer is B',
    'The answer is (B).',
    'Option B',
    '\\boxed{B}',
    '\\boxed{\\text{B}}',
    '<answer>B</answer>',
    '**B**',
    'The correct answer: B) Insulin',
  ])('%j is B', (answer) => expect(rule(answer, truth)).toBe('right'));

  it.each(['A', '(C)', 'glucagon', 'A. Glucagon', '+1', '-1', 'D. -1', ''])('%j is another', (answer) => {
    expect(rule(answer, truth)).toBe('wrong');
  });

  it.each(['E', 'A or B', 'A, B, C, D', 'None of the above', "I don't know."])(
    '%j is none that is offered',
    (answer) => {
      expect(rule(answer, truth)).toBe('wrong');
    },
  );

  it.each(['B. Glucagon', 'Insulin and glucagon', 'a hormone', '1'])('%j names none for sure', (answer) => {
    expect(rule(answer, truth)).toBe('undecided');
  });
});

describe('texts', () => {
  const truth: Truth = { kind: 'text', answers: ['The United States', 'USA'] };

  it('takes any of the aliases, without regard to case, articles, punctuation and accents', () => {
    for (const answer of ['united states', 'The United States.', 'U S A'.replaceAll(' ', ''), '<answer>usa</answer>']) {
      expect(scoreByRules(answer, truth)).toMatchObject({ ruling: 'right', f1: 1 });
    }
    expect(rule('Malgorzata', { kind: 'text', answers: ['Małgorzata'] })).toBe('right');
  });

  it('leaves what differs in words to a judge, with its F1', () => {
    expect(scoreByRules('America', truth)).toEqual({ ruling: 'undecided', f1: 0 });
    expect(scoreByRules('the United States of America', truth).f1).toBeCloseTo(2 / 3, 12);
    expect(scoreByRules('', truth)).toEqual({ ruling: 'wrong', f1: 0 });
  });

  it('decides yes and no, and numbers', () => {
    expect(rule('Yes, both were.', { kind: 'text', answers: ['yes'] })).toBe('right');
    expect(rule('No.', { kind: 'text', answers: ['yes'] })).toBe('wrong');
    expect(rule('72,641', { kind: 'text', answers: ['$72641'] })).toBe('right');
    expect(rule('1933', { kind: 'text', answers: ['1932'] })).toBe('wrong');
    expect(rule('in 1932', { kind: 'text', answers: ['1932'] })).toBe('undecided');
  });

  it('has an F1 from 0 to 1 that is 1 for the truth itself and the same both ways round', () => {
    const words = fc.array(fc.constantFrom('red', 'green', 'blue', 'nine'), { minLength: 1, maxLength: 6 });
    fc.assert(
      fc.property(words, words, (a, b) => {
        const f1 = (x: string[], y: string[]) =>
          scoreByRules(x.join(' '), { kind: 'text', answers: [y.join(' ')] }).f1 as number;
        expect(f1(a, b)).toBeCloseTo(f1(b, a), 12);
        expect(f1(a, a)).toBe(1);
        expect(f1(a, b)).toBeLessThanOrEqual(1);
      }),
    );
  });
});

describe('short forms', () => {
  const short = (answer: string, value: string) => rule(answer, { kind: 'short-form', answer: value });

  it('compares numbers as numbers, lists part by part and texts without punctuation', () => {
    expect(short('$1,234.50', '1234.5')).toBe('right');
    expect(short('17', '17')).toBe('right');
    expect(short('18', '17')).toBe('wrong');
    expect(short('3.1.3.1;1.11.1.7', '3.1.3.1; 1.11.1.7')).toBe('right');
    expect(short('Indonesia,Myanmar', 'Indonesia, Myanmar')).toBe('right');
    expect(short('7, 9', '7,9')).toBe('right');
    expect(short('9, 7', '7, 9')).toBe('wrong');
    expect(short('7, 9, 11', '7, 9')).toBe('wrong');
    expect(short('the castle', 'THE CASTLE')).toBe('right');
    expect(short('a castle', 'THE CASTLE')).toBe('undecided');
    expect(short('', '17')).toBe('wrong');
  });
});

describe('the game of 24', () => {
  const game = (answer: string, numbers: number[]) => rule(answer, { kind: 'twenty-four', numbers });

  it('evaluates whatever expression is given', () => {
    expect(game('(1+2+3)×4', [1, 2, 3, 4])).toBe('right');
    expect(game('4 * (3 + 2 + 1) = 24', [1, 2, 3, 4])).toBe('right');
    expect(game('\\boxed{(1+2+3) \\times 4}', [4, 3, 2, 1])).toBe('right');
    expect(game('8/(3-8/3)', [3, 3, 8, 8])).toBe('right');
    expect(game('\\frac{8}{3-\\frac{8}{3}}', [3, 3, 8, 8])).toBe('right');
    expect(game('5*(5-1/5)', [1, 5, 5, 5])).toBe('right');
  });

  it.each([
    ['1*2*3*4 + 0', [1, 2, 3, 4]],
    ['12 + 3 * 4', [1, 2, 3, 4]],
    ['4*(3+2+1)*1', [1, 2, 3, 4]],
    ['(1+2)*4', [1, 2, 3, 4]],
    ['4!', [1, 2, 3, 4]],
    ['24', [1, 2, 3, 4]],
    ['2^3*(4-1)', [1, 2, 3, 4]],
    ['sqrt(4)*(3*(2+2))', [2, 2, 3, 4]],
    ['8/(3-8/3.0000000001)', [3, 3, 8, 8]],
    ['it makes 24', [1, 2, 3, 4]],
    ['', [1, 2, 3, 4]],
  ])('refuses %j of %j', (answer, numbers) => {
    expect(game(answer, numbers)).toBe('wrong');
  });

  it('has 1,362 solvable quadruples', () => {
    const quadruples = solvableQuadruples();
    expect(quadruples).toHaveLength(1362);
    expect(quadruples).toContainEqual([3, 3, 8, 8]);
    expect(quadruples).not.toContainEqual([1, 1, 1, 1]);
  });

  it('is right exactly for expressions of value 24, whatever is done to the numbers', () => {
    const operator = fc.constantFrom('+', '-', '*', '/');
    const number = fc.integer({ min: 1, max: 13 });
    fc.assert(
      fc.property(number, number, number, number, operator, operator, operator, (a, b, c, d, p, q, r) => {
        const expression = `((${a} ${p} ${b}) ${q} ${c}) ${r} ${d}`;
        const compute = (x: number, sign: string, y: number) =>
          ({ '+': x + y, '-': x - y, '*': x * y, '/': x / y })[sign] as number;
        const value = compute(compute(compute(a, p, b), q, c), r, d);
        expect(game(expression, [d, c, b, a])).toBe(Math.abs(value - 24) < 1e-9 ? 'right' : 'wrong');
      }),
      { numRuns: 500 },
    );
  });
});

describe('every kind of truth', () => {
  it('is right where the truth itself is the answer', () => {
    const truths: Truth[] = [
      { kind: 'exact-number', value: 5 },
      { kind: 'number', value: '-1.5' },
      { kind: 'expression', value: '\\begin{pmatrix}1\\\\2\\end{pmatrix}' },
      { kind: 'choice', letter: 'C', choices: ['a', 'b', 'c'] },
      { kind: 'text', answers: ['one', 'two'] },
      { kind: 'short-form', answer: 'b, e' },
    ];
    for (const truth of truths)
      expect([truth.kind, rule(wordsOfTruth(truth)[0], truth)]).toEqual([truth.kind, 'right']);
  });
});

describe('an answer that repeats itself', () => {
  const SIZE = 8_000;
  const TRUTHS: Truth[] = [
    { kind: 'number', value: '42' },
    { kind: 'expression', value: '1, 2, x' },
    { kind: 'text', answers: ['Paris'] },
    { kind: 'short-form', answer: 'a, b' },
    {
      kind: 'choice',
      letter: 'A',
      choices: Array.from({ length: 26 }, (_, n) => `choice ${n} of${' many words'.repeat(40)}`),
    },
    { kind: 'twenty-four', numbers: [1, 2, 3, 4] },
  ];
  const around = (before: string, mark: string, after: string) => before + mark.repeat(3_900) + after;

  /** By patterns that take the cube of its length each would take minutes to hours: that it ends is what is shown. */
  it.each([
    ['blanks after a comma', around(',', ' ', 'x')],
    ['blanks after a full stop', around('x.', ' ', 'y')],
    ['tabs after an answer', around('Answer', '\t', '!')],
    ['a long fence', `${'~'.repeat(1_300)}\n${' '.repeat(2_600)}x`],
    ['a long fence that ends', `${'~'.repeat(1_300)}\n${' '.repeat(2_600)}x~~~`],
    ['an answer at every word', 'answer: '.repeat(SIZE / 8)],
    ['an answer on every line', 'answer: x y\n'.repeat(SIZE / 12)],
    ['equal signs', '1='.repeat(SIZE / 2)],
    ['dashes', 'a-'.repeat(SIZE / 2)],
    ['ticks', `${'✓'.repeat(3_999)}x`],
    ['accents', `e${'\u0301'.repeat(SIZE)}`],
    ['brackets', `${'('.repeat(1_900)}1${')'.repeat(1_900)}`],
    ['a long number', '7'.repeat(SIZE)],
    ['a list', `${'2^4096/3^4096, '.repeat(500)}1`],
  ])('is graded as any other: %s', (_, answer) => {
    for (const truth of TRUTHS) expect(['right', 'wrong', 'undecided']).toContain(rule(answer, truth));
  });

  it('is undecided where it says "the answer is" so often that it cannot be read', () => {
    expect(rule('answer: '.repeat(SIZE / 8), TRUTHS[4])).toBe('undecided');
    expect(rule(`${'answer: plain words. '.repeat(20)}\nThe answer is A.`, TRUTHS[4])).toBe('right');
  });

  it('is read behind blanks as it is without', () => {
    expect(rule(around('The answer is', ' ', 'Paris.'), TRUTHS[2])).toBe('right');
    expect(rule(around('Thus', '\n', 'The answer is 42.'), TRUTHS[0])).toBe('right');
  });
});
