import { describe, expect, it } from '@jest/globals';
import type { Truth } from '../datasets/items/truth.js';
import { scoreByRules } from './score-by-rules.js';

type Kind = 'number' | 'expression';

function rulings(kind: Kind, value: string, answers: readonly string[]): [string, string][] {
  const truth: Truth = { kind, value };
  return answers.map((answer) => [answer, scoreByRules(answer, truth).ruling]);
}

function all(answers: readonly string[], ruling: string): [string, string][] {
  return answers.map((answer) => [answer, ruling]);
}

function notRight(kind: Kind, value: string, answers: readonly string[]): void {
  expect(rulings(kind, value, answers).filter(([, ruling]) => ruling === 'right')).toEqual([]);
}

describe('an equation', () => {
  it.each<[Kind, string, string[]]>([
    ['expression', 'x=5', ['y=5', 't=5', 'x+y=5', 'a+b=5', 'x-y=5', 'xy=5', '5=5', '-x=5', '|x|=5', 'x^2=5']],
    ['expression', 'y=2', ['z=2', 'x=2', 'x+y=2', 'xyz=2']],
    ['expression', '5', ['|x|=5', 'x-y=5', 'xy=5', 'x \\cdot y = 5', '5=5', '2x=5', '-x=5', '\\sin x = 5']],
    ['number', '5', ['-x = 5', '|x|=5', 'log x = 5', '\\ln x = 5', '\\sin x=5', 'xy=5', 'x-y=5', '-y=5', '|a|=5']],
    ['expression', 'x=1,y=2', ['y=1,x=2', 'x=1,z=2', 'a=1,b=2', 'x=1, x=2', 'x+y=1,x-y=2', 'y=1,z=2', 'x=1']],
  ])('of another %s than %j is not right', (kind, value, answers) => notRight(kind, value, answers));

  it.each<[Kind, string, string[]]>([
    ['expression', 'x=5', ['x=5', '5=x', '5', 'x = 2 + 3 = 5', '$x = 5$']],
    ['expression', '5', ['x=5', 'x_1=5', "y'=5", '\\theta = 5', 'f(2) = 5', 'AB = 5', '|AB| = 5', 'm + n = 5', 'Area = 5', '2+3=5']],
    ['number', '5', ['x=5', 'm+n=5', 'p + q + r = 5', 'a_{10} = 5', '\\angle ABC = 5^\\circ', 'f(x) = 5', '2+3=5', '5=x']],
    ['expression', 'x=1,y=2', ['x=1, y=2', 'y=2, x=1', 'x = 1 , y = 2', '1, 2']],
    ['expression', 'f(x)=x^2', ['f(x)=x^2', 'x^2', 'f(x) = x \\cdot x']],
    ['expression', 'y=2x+3', ['y = 3+2x', '2x+3', 'y-2x=3']],
    ['expression', 'n=2, 3, 4', ['n = 2, 3, 4', '2, 3, 4', 'n=2, n=3, n=4']],
  ])('of %s %j is right', (kind, value, answers) => {
    expect(rulings(kind, value, answers)).toEqual(all(answers, 'right'));
  }); // prettier-ignore
});

describe('expressions with variables', () => {
  it.each([
    ['x', ['|x|', '\\sqrt{x^2}', 'x^2/|x|', '(x^2)^{1/2}', '\\sqrt[4]{x^4}', 'x+10^{-13}', '\\ln(e^x)+0.0000000000001']],
    ['|x|', ['x', '-x']],
    ['\\sqrt{x^2}', ['x']],
    ['a', ['|a|', '\\sqrt{a^2}']],
    ['xy', ['|xy|', '|x|y', 'x\\sqrt{y^2}']],
    ['2^n', ['2^{n}+10^{-12}', '2^{|n|}']],
    ['\\ln(x^2)', ['2\\ln(x)']],
    ['y=2x+3', ['y=2x+3+10^{-13}']],
    ['x^2-1', ['x^2 - 1 + 10^{-14}']],
  ])('are not %j if they differ from it below zero, or a little', (value, answers) => {
    notRight('expression', value, answers);
  }); // prettier-ignore

  it.each([
    ['|x|', ['\\sqrt{x^2}', '|-x|', '(x^2)^{1/2}']],
    ['\\sqrt{x}', ['x^{1/2}', '\\frac{x}{\\sqrt{x}}']],
    ['2\\ln(x)', ['\\ln(x^2)']],
    ['\\ln(x-3)', ['\\ln(2x-6)-\\ln(2)']],
    ['x^{1/3}', ['\\sqrt[3]{x}']],
    ['x+2i', ['2i+x']],
    ['n!', ['\\frac{(n+1)!}{n+1}']],
    ['\\tan(x)', ['\\frac{\\sin(x)}{\\cos(x)}']],
  ])('are %j if they are the same wherever it is defined', (value, answers) => {
    expect(rulings('expression', value, answers)).toEqual(all(answers, 'right'));
  });
});

describe('numbers that are near each other', () => {
  it.each([
    ['0', ['e^{-100}', 'e^{-300}', '\\pi - \\pi + 10^{-20}', '\\sqrt{2}-1.41421356237309504', '\\sin(\\pi)+10^{-15}']],
    ['1', ['\\sqrt{1+10^{-15}}', '\\cos(10^{-8})', '\\tanh(20)', '1-e^{-50}']],
    ['\\pi', ['\\pi+10^{-14}', '\\pi + 10^{-20}', '3.14159265358979+10^{-13}', '\\frac{80143857}{25510582}']],
    ['e', ['2.718281828459']],
    ['10^{15}', ['\\sqrt{10^{30}+1}']],
    ['10^{20}\\pi', ['10^{20}\\pi+1', '10^{20}\\pi - 3']],
    ['\\infty', ['1/0', '10^{400}', '2^{10000}', '-\\infty']],
    ['10^{400}', ['\\infty', '10^{401}']],
  ])('are not %j', (value, answers) => notRight('expression', value, answers));

  it.each([
    ['0', ['\\sin(\\pi)', '\\sqrt{2}-\\sqrt{2}', '\\cos(\\pi/2)', '\\sqrt{3+2\\sqrt{2}}-1-\\sqrt{2}']],
    ['\\sqrt{2}+\\sqrt{3}', ['\\sqrt{5+2\\sqrt{6}}']],
    ['-1', ['e^{i\\pi}', '\\cos(\\pi)']],
    ['\\infty', ['\\infty', '+\\infty', '∞']],
    ['10^{400}', ['10^{399} \\cdot 10', '10^{400}']],
  ])('are %j if they are equal', (value, answers) => {
    expect(rulings('expression', value, answers)).toEqual(all(answers, 'right'));
  });

  it('is infinite only if it is written so', () => {
    notRight('number', '1e400', ['\\infty', '1e401', '∞']);
    expect(rulings('number', '1e400', ['1e400', '10^{400}'])).toEqual(all(['1e400', '10^{400}'], 'right'));
  });
});

describe('a percent sign', () => {
  it.each<[Kind, string, string[]]>([
    ['expression', '1/2', ['1/2%', '\\frac12\\%']],
    ['expression', '90^\\circ', ['90\\%', '90%']],
    ['expression', '10\\%', ['0.1%', '1', '100']],
    ['number', '0.5', ['0.5%', '0.5 %', '5%']],
    ['number', '33', ['34%', '3300', '0.33%']],
    ['number', '50%', ['50‰', '50 ppm', '0.5%']],
    ['number', '5', ['5‰', '5 ppm', '0.05%']],
  ])('is a hundredth: beside %s %j', (kind, value, answers) => notRight(kind, value, answers));

  it.each<[Kind, string, string[]]>([
    ['expression', '10\\%', ['10\\%', '10%', '10 %', '0.1', '\\frac{1}{10}', '10']],
    ['number', '33', ['33%', '33\\%', '33 %']],
    ['expression', '33', ['33%', '33\\%']],
    ['number', '0.5', ['50%', '50\\%', '1/2']],
    ['number', '50%', ['50%', '50\\%', '0.5']],
  ])('is a hundredth: %s %j', (kind, value, answers) => {
    expect(rulings(kind, value, answers)).toEqual(all(answers, 'right'));
  });

  it('leaves to a judge what differs in it alone and is no usual percentage', () => {
    expect(rulings('number', '0.5', ['0.5%', '0.6%'])).toEqual([['0.5%', 'undecided'], ['0.6%', 'wrong']]); // prettier-ignore
    expect(rulings('expression', '90^\\circ', ['90\\%'])).toEqual([['90\\%', 'undecided']]);
  });
});

describe('the notation of mathematics', () => {
  it.each([
    ['\\sin^2 x', ['\\sin(x)^2', '(\\sin x)^2', '1-\\cos^2 x', '\\sin^2(x)', '\\frac{1-\\cos 2x}{2}', '\\sin x \\sin x'], ['\\sin x^2', '\\sin 2x']],
    ['\\log_2 8', ['3', '\\log_{2}8', 'log_2(8)', 'log₂8', '\\frac{\\ln 8}{\\ln 2}'], ['\\log_2 4 + \\log_2 4', '\\log_8 2', '8']],
    ['\\frac{\\pi}{2}', ['\\arcsin 1', '\\sin^{-1}(1)', '2\\tan^{-1} 1'], ['\\sin 1']],
    ['1', ['\\sin^2 x+\\cos^2 x', '\\tan 45^\\circ', '\\ln e', '0.\\overline{9}'], ['\\tan 45', '\\sin^2 x-\\cos^2 x']],
    ['\\cosh x', ['\\frac{e^x+e^{-x}}{2}', '\\cosh(x)'], ['\\sinh x']],
    ['\\ln|x|', ['\\ln \\lvert x \\rvert', '\\frac12\\ln x^2'], ['\\ln x']],
    ['\\sin 30^\\circ', ['1/2', '\\sin(\\pi/6)'], ['\\sin 30']],
    ['\\frac{\\sin x}{2}', ['\\frac12\\sin x'], ['\\sin x/2']],
    ['\\binom{5}{2}', ['10', '\\binom53', '{5 \\choose 2}', '\\frac{5!}{2!3!}'], ['\\binom{5}{1}', '5/2']],
    ['n(n+1)/2', ['\\binom{n+1}{2}'], ['\\binom{n}{2}']],
    ['0.\\overline{3}', ['1/3', '0.\\bar{3}', '0.3\\overline{3}', '⅓'], ['0.3', '0.\\overline{33}4', '0.333']],
    ['\\frac{1}{6}', ['0.1\\overline{6}'], ['0.\\overline{16}']],
    ['\\begin{pmatrix}1&2\\\\3&4\\end{pmatrix}', ['\\begin{bmatrix}1&2\\\\3&\\frac82\\end{bmatrix}'], ['\\begin{pmatrix}1&2&3&4\\end{pmatrix}', '\\begin{vmatrix}1&2\\\\3&4\\end{vmatrix}', '\\begin{pmatrix}1&3\\\\2&4\\end{pmatrix}']],
    ['\\emptyset', ['\\varnothing', '∅', '\\{\\}'], ['0', '\\{0\\}']],
    ['2,3,4', ['2, 3, and 4', '2, 3, 4'], ['2, 3', '2, 3, and 5']],
    ['90^\\circ', ['90 degrees', '90°'], ['80 degrees']],
    ['\\infty', ['infinity', '\\infty'], ['-infinity']],
    ['10\\%', ['10 percent', '10'], ['1000 percent']],
    ['x^2-1', ['x^2-1'], ['x²⁻¹']],
  ])('is read: %s', (value, right, others) => {
    expect(rulings('expression', value, right)).toEqual(all(right, 'right'));
    notRight('expression', value, others);
  }); // prettier-ignore

  it('has spaces and apostrophes in thousands', () => {
    expect(rulings('number', '5000', ['5 000', "5'000"])).toEqual(all(['5 000', "5'000"], 'right'));
    expect(rulings('number', '1234.56', ['1 234.56'])).toEqual(all(['1 234.56'], 'right'));
    notRight('number', '5000', ['5 00', '5, 000', '0 005 000', '5 000 m 2']);
  });
});

describe('an answer that is said twice', () => {
  it.each<[Kind, string, string[], string[]]>([
    ['number', '0.5', ['0.5 (1/2)', '1/2 (0.5)', '1/2, or 0.5', '1/2 or 0.5'], ['0.5 (1/3)', '0.5 or 0.6']],
    ['number', '33', ['33 (20 + 13)', '33 (33.0)'], ['33 or 34', '33.4 (33)', '33 (34)']],
    ['number', '9', ['3^2 (9)', '9 (9.0)'], []],
    ['number', '4', ['4 (2 + 2)', '2 (2) = 4'], ['2 (2)']],
    ['number', '6', ['2 (3)'], []],
    ['expression', '\\frac12', ['1/2 (0.5)', '\\frac{1}{2} (0.5)'], ['1/2 (0.6)']],
    ['expression', '\\frac37', ['3/7 (0.43)', '3/7 \\approx 0.429', 'x = \\frac{3}{7} \\approx 0.43'], ['0.43 (0.4)', '\\approx 3/7']],
    ['expression', '\\frac{\\pi}{4}', ['π/4 ≈ 0.7854', '\\boxed{\\frac{\\pi}{4} \\approx 0.785}'], ['\\frac{\\pi}{4} \\approx 0.9']],
    ['expression', '2(x+1)', ['2 (x+1)', '2x + 2'], ['2 (x+2)']],
  ])('as a number or as what it is near: %s %j', (kind, value, right, others) => {
    expect(rulings(kind, value, right)).toEqual(all(right, 'right'));
    notRight(kind, value, others);
  }); // prettier-ignore
});

describe('a number that is written in another way', () => {
  it('has its percent sign in words', () => {
    const answers = ['25 percent', '25 per cent', '25%'];
    expect(rulings('number', '25', answers)).toEqual(all(answers, 'right'));
    expect(rulings('number', '26', answers)).toEqual(all(answers, 'wrong'));
  });

  it('may be the item of a list', () => {
    expect(rulings('number', '18', ['- 18', '-18', '- 19'])).toEqual([['- 18', 'undecided'], ['-18', 'wrong'], ['- 19', 'wrong']]); // prettier-ignore
    expect(rulings('number', '-18', ['- 18', '-18'])).toEqual(all(['- 18', '-18'], 'right'));
  });

  it.each<[Kind]>([['number'], ['expression']])('has its base below the line, as the kind %s', (kind) => {
    expect(rulings(kind, '1011_2', ['1011_{2}', '1011_2', '1011'])).toEqual(all(['1011_{2}', '1011_2', '1011'], 'right')); // prettier-ignore
    expect(rulings(kind, '2516_{8}', ['2516_8', '2516_{8}'])).toEqual(all(['2516_8', '2516_{8}'], 'right'));
    expect(rulings(kind, '2516_8', ['2517_8', '2517'])).toEqual(all(['2517_8', '2517'], 'wrong'));
    expect(rulings(kind, '1011_2', ['11', '11_{10}', '1011_3'])).toEqual(all(['11', '11_{10}', '1011_3'], 'undecided'));
  });
});

describe('a constant of integration', () => {
  it.each([
    ['x^2 + C', ['x^2 + C', 'x^2 + c', 'C + x^2'], ['x^2 + K', 'x^2 + C_1', 'x^2 + k'], ['x^2', 'x^3 + C', 'x^2 + 1']],
    ['C_1 e^{x} + C_2 e^{-x}', ['C_1 e^{x} + C_2 e^{-x}', 'C_{1} e^{x} + C_{2} e^{-x}'], ['A e^{x} + B e^{-x}', 'c_1 e^x + c_2 e^{-x}'], ['C_1 e^{x} + C_2 e^{-2x}']],
  ])('has any name: %s', (value, right, undecided, wrong) => {
    expect(rulings('expression', value, right)).toEqual(all(right, 'right'));
    expect(rulings('expression', value, undecided)).toEqual(all(undecided, 'undecided'));
    expect(rulings('expression', value, wrong)).toEqual(all(wrong, 'wrong'));
  }); // prettier-ignore
});

describe('a closing sentence', () => {
  it.each<[Kind, string, string[], string[]]>([
    ['expression', '\\frac{1}{2}', [
      'Therefore, $x = \\frac{1}{2}$.', 'Thus, the probability is $\\frac{1}{2}$.', 'Therefore, the limit is \\(\\frac{1}{2}\\).',
      'The probability is $\\frac12$.', 'We add them.\nThus, the probability is $\\frac{1}{2}$.',
    ], [
      'The probability is not $\\frac{1}{2}$.', 'The initial slope is $\\frac{1}{2}$.', 'The intermediate result is $\\frac12$.', 'Thus, the probability is at least $\\frac12$.',
      'Thus, the probability is $\\frac12$ or $\\frac13$.', 'Thus, $x = \\frac12$ or $x = \\frac13$.', 'The square of it is $\\frac12$.',
    ]],
    ['expression', '\\frac{\\pi}{4}', ['The integral is $\\frac{\\pi}{4}$.', 'Thus, $\\theta = \\frac{\\pi}{4}$.'], ['The integral is $\\frac{\\pi}{5}$.']],
    ['number', '0.5', ['The probability is $\\frac12$.', 'Thus, the probability is $\\frac{1}{2}$.'], ['The probability is $\\frac13$.']],
  ])('says it: %s %j', (kind, value, right, others) => {
    expect(rulings(kind, value, right)).toEqual(all(right, 'right'));
    notRight(kind, value, others);
  }); // prettier-ignore

  it('without a conclusion may be of something else: it is not wrong', () => {
    const answers = ['The slope is $\\frac13$.', 'Thus, the slope is $\\frac13$.'];
    expect(rulings('expression', '\\frac12', answers)).toEqual([[answers[0], 'undecided'], [answers[1], 'wrong']]); // prettier-ignore
  });
});

describe('relations, sets and units', () => {
  it.each([
    ['\\pm 3', ['±3', '\\pm 3', '+/- 3'], ['3', '-3', '\\pm 4', '+3']],
    ['x \\leq 2', ['x ≤ 2', 'x<=2', 'x \\le 2', 'x \\leqslant \\frac{4}{2}'], ['x < 2', 'x \\geq 2', 'x \\leq 3', 'y \\leq 2', '2']],
    ['1, 2', ['1 and 2', '\\{1,2\\}', '1, 2'], ['\\{2, 1\\}', '1 and 3', '(1,2)', '\\{1\\}', '12']],
    ['[-1, 2)', ['$x \\in [-1, 2)$', '[-1,2)'], ['$x \\in [-1, 2]$', '$x \\notin [-1, 2)$']],
    ['2\\sqrt{3}', ['$2\\sqrt{3}\\text{ cm}$', '2\\sqrt{3} \\text{ units}'], ['3\\sqrt{3}\\text{ cm}']],
    ['\\frac{\\pi}{4}', ['\\frac{\\pi}{4}\\text{ radians}'], ['\\frac{\\pi}{4}^\\circ \\text{ and } 2']],
    ['60^\\circ', ['60'], ['60 radians']],
    ['5\\text{ cm}', ['5 cm'], ['5 km']],
    ['3:2', ['3 to 2', '3:2'], ['2 to 3', '2:3']],
  ])('are compared: %s', (value, right, others) => {
    expect(rulings('expression', value, right)).toEqual(all(right, 'right'));
    notRight('expression', value, others);
  }); // prettier-ignore
});
