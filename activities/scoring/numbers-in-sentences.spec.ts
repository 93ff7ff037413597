import { describe, expect, it } from '@jest/globals';
import { scoreByRules } from './score-by-rules.js';

function ruling(answer: string, value: string): string {
  return scoreByRules(answer, { kind: 'number', value }).ruling;
}

function rulings(value: string, answers: readonly string[]): [string, string][] {
  return answers.map((answer) => [answer, ruling(answer, value)]);
}

function all(answers: readonly string[], wanted: string): [string, string][] {
  return answers.map((answer) => [answer, wanted]);
}

describe('a sentence with one number', () => {
  it.each([
    ['gives none', [
      'Unable to answer after 5 turns.', 'Rate limit: retry after 5 s', 'Error: timeout after 5 s', 'timeout 5', 'HTTP 5', 'Error 5',
      'The calculation failed at step 5.', '5 results found', 'Search returned 5 hits.', '5 tokens left', 'Traceback: line 5',
      'Null after 5', 'Reached the limit of 5 turns without an answer', 'Row 5 is missing', 'Unable to answer within 5 tokens',
      'Problem 5', 'I need 5 hints', 'You have 5 minutes left', 'Step: 5', 'Step 5', 'See equation 5', '[5]', 'Chapter 5', 'My confidence is 5', 'The answer has 5 letters', '5 among many',
    ]],
    ['speaks of a part of the solution', [
      'There are 5 apples in the basket. How many are left?', 'There are 5 apples in the basket. She eats some of them.',
      'The intermediate result is 5.', 'The partial sum is 5.', 'The result of the first step is 5.', 'The starting value is 5.',
      'The given number is 5.', 'The estimate is 5.', 'The reciprocal is 5.', 'The denominator is 5.', 'There are 5 cases to consider.',
      'We have 5 equations.', 'The number of tool calls is 5.', 'The tool took 5 seconds.', 'She has 5 apples to begin with.',
      'The initial value is $5$.',
    ]],
    ['takes it back', [
      '5 is wrong', '5 is incorrect', 'I first thought 5 but that is wrong', '5 would be false', '5 is ruled out', '5 fails',
      '5, which is wrong', '5 is a wrong answer', '5 can be excluded', '5 is too small', '5 was my first guess, which is too low',
    ]],
    ['says what it is not', [
      'anything but 5', 'excluding 5', 'a number different from 5', 'different from 5', '5+', 'beyond 5', 'minimum 5', '5 max',
      'from 5 upward', '5 and counting', 'The answer lies beyond 5', 'It is not 5', 'less than 5', 'nicht 5', 'не 5', 'pas 5',
      'больше 5', 'mehr als 5', 'más de 5', 'ليس 5', 'أكثر من 5',
    ]],
    ['computes with it', [
      'log 5', 'ln 5', 'sin 5', 'cos 5', 'sqrt 5', 'exp 5', 'abs 5', '5 factorial', 'the reciprocal of 5', 'a multiple of 5',
      'divisible by 5', '5 doubled', 'The answer is the square of 5', 'square of 5', 'a fifth of 5', 'the prime after 5', 'a_5',
      '5 \\times',
    ]],
    ['counts in another unit', [
      '5 lakh', '5 crore', '5 mn', '5 mio', '5 万', '5 тысяч', '5 Tausend', '5 mille', '5 gross', '5 score', '5 pairs', '5 couples',
      '5 tens', '5 tenths', '5 hundredths', '5 nickels', '5 fortnights', '5 digits long', 'a number with 5 digits',
      'It has 5 prime factors', '5‰', '5 ppm', '5 million', '5k', '5..6', '5...7', '5-7 days',
    ]],
  ])('that %s is undecided', (_, answers) => {
    expect(rulings('5', answers)).toEqual(all(answers, 'undecided'));
  }); // prettier-ignore

  it('of a decade, an era or a time before or after is undecided', () => {
    const answers = ['1990s', '1990 BC', 'before 1990', 'after 1990', 'since 1990', 'in mid-1990'];
    expect(rulings('1990', answers)).toEqual(all(answers, 'undecided'));
  });

  it('that says it is read', () => {
    const answers = [
      '5 apples', '5 apples left', '5 cm', '5 cm²', '5 km/h', '5°', '5 per day', '5 prime numbers', 'So 5 apples.', 'Total: 5',
      'Total cost = 5 dollars', 'Number of apples: 5', 'The total cost is $5.00.', 'She has 5 apples left.', 'There are 5 of them.', 'It takes 5 minutes.',
      'It takes 5 minutes to read all of it.', 'The number of residents who own them is 5.', 'In total, John earned $5 per day.',
      'Therefore, each of them will pay 5 dollars', 'They took 8 and ate 3.\n\nSo they have 5 apples.', 'So she has 3+2=5 apples.',
      'The answer is 5, not 6.', 'We get 5', 'The perimeter must be 5 feet', '5 square meters', 'x is 5',
    ];
    expect(rulings('5', answers)).toEqual(all(answers, 'right'));
    expect(rulings('6', answers)).toEqual(all(answers, 'wrong'));
  }); // prettier-ignore

  it.each([
    ['33', [
      'Therefore, 33 apples were sold.', 'So, 33 apples are left.', 'A total of 33 apples were sold.',
      'Therefore, the length of the side is 33 cm.', 'The price of one pen is $33.', 'The sum of the digits is 33.',
      'The total cost of 5 pens is $33.', 'The distance between the two cities is 33 miles.',
      'It will take John 33 days to finish the book.', 'She is 33 years old now.', 'It takes 33 months.', '= 33',
      '33\n\nExplanation: 20 + 13 = 33.', 'You need 33 bags.',
    ], '34'],
    ['18', [
      'Based on the tool results, Janet makes $18 per day.', 'US$18', '18 USD', 'Ans: 18',
      "Janet sells 16 - 3 - 4 = 9 duck eggs a day.\nShe makes 9 * 2 = $18 every day at the farmer's market.",
    ], '19'],
    ['1234', ['Josh made a profit of $1,234.'], '1235'],
    ['204', ['There are exactly 204 such ordered pairs.', 'So $m=101$, $n=103$ and $m+n=204$.'], '205'],
    ['25', ['So 25% of the students like math.'], '26'],
  ])('that closes an answer is read: %s', (value, answers, other) => {
    expect(rulings(value, answers)).toEqual(all(answers, 'right'));
    expect(rulings(other, answers)).toEqual(all(answers, 'wrong'));
  }); // prettier-ignore

  it('that looks like a closing one is undecided', () => {
    const answers = [
      'So 5 cases were ruled out.',
      'So 5 is ruled out',
      'Based on the wrong results, she makes $5.',
      'It takes another 5 days.',
      'You need 5 hints.',
      'A loss of 5',
      'So $m=5$, $n=6$ and $p=5$.',
      '5\n\nExplanation: 2 + 4 = 6.',
      'The cost of 5 pens is 6.',
      'She made a loss of $5.',
      'There are 5 pairs.',
      'A tenth of it is 5',
      '5 months and 6 days',
      'The cost of 6 is 5 less',
    ];
    expect(rulings('5', answers).filter(([, found]) => found === 'right')).toEqual([]);
    expect(rulings('€18', ['US$18', '18 USD'])).toEqual(all(['US$18', '18 USD'], 'undecided'));
  });

  it('that comes before the conclusion is none', () => {
    const answer = 'She ate 3. So she has 5 apples.';
    expect([ruling(answer, '5'), ruling(answer, '3')]).toEqual(['right', 'wrong']);
    expect(ruling('She ate 3. The rest are 5 apples, or 6.', '3')).toBe('undecided');
    expect(ruling('It takes 5 minutes because it is far.', '5')).toBe('right');
    expect(ruling('The initial value is 3, so the answer is 5.', '5')).toBe('right');
  });

  it('may conclude with an equation', () => {
    const answers = ['Thus, x = 5.', 'Therefore $x = 5$.', 'Hence x = 5', 'So 2 + 3 = 5'];
    expect(rulings('5', answers)).toEqual(all(answers, 'right'));
    expect(rulings('5', ['Thus |x| = 5', 'So x - y = 5'])).toEqual(all(['Thus |x| = 5', 'So x - y = 5'], 'undecided'));
  });

  it('may have a degree, a percent sign or one thing', () => {
    expect(ruling('-3°C', '-3')).toBe('right');
    expect(ruling('It is 50% of them', '0.5')).toBe('right');
    expect(ruling('It is 50 percent', '1/2')).toBe('right');
    expect(ruling('It takes 1 hour', '1')).toBe('right');
    expect(ruling('It is 50% of them', '50')).toBe('right');
  });
});

describe('a number with a unit', () => {
  it.each([
    ['5 km', ['5 km', '5', 'It is 5 km.'], ['5 miles']],
    ['12 apples', ['12', '12 apples', 'She has 12 apples'], ['12 pears']],
    ['1/2 cups', ['1/2', '0.5', '1/2 cups'], []],
    ['$5', ['5', '$5', '5 dollars', '\\$5', '$5.00'], ['€5', '£5', '5¢', '5 cents', '5 yen']],
    ['3', ['3'], ['($3)', '- $3']],
  ])('%j is right with that unit or none', (gold, right, undecided) => {
    expect(rulings(gold, right)).toEqual(all(right, 'right'));
    expect(rulings(gold, undecided)).toEqual(all(undecided, 'undecided'));
  });
});

describe('a range, a date or the number of a telephone', () => {
  it.each([
    ['5-6', ['5-6', '5 - 6', '5–6', '$5-6$', 'The answer is 5-6.'], ['-1', '5', '6']],
    ['1990-1995', ['1990-1995', '1990–1995'], ['-5', '1990']],
    ['555-1234', ['555-1234'], ['-679']],
    ['12-25', ['12-25'], ['-13']],
    ['2020-01-02', ['2020-01-02'], ['2017']],
    ['10-12%', ['10-12%', '10-12\\%'], ['-2', '10-12']],
    ['3/5/1932', ['3/5/1932'], ['0.6/1932']],
  ])('%j is right as the same text only', (gold, right, undecided) => {
    expect(rulings(gold, right)).toEqual(all(right, 'right'));
    expect(rulings(gold, undecided)).toEqual(all(undecided, 'undecided'));
  });
});

describe('a truth of the kind number that is hard to compare', () => {
  it.each(['5 million', 'three', '12:30', '3:2', '3!'])('%j is right as the same text', (gold) => {
    const answers = [gold, `**${gold}**`, `\\boxed{${gold}}`];
    expect(rulings(gold, answers)).toEqual(all(answers, 'right'));
    expect(rulings(gold, ['7', `not ${gold}`]).filter(([, found]) => found === 'right')).toEqual([]);
  });
});
