import fc, { type Arbitrary } from 'fast-check';
import type { Truth } from '../../datasets/items/truth.js';

const FIRST =
  'Anna,José,Zoë,Łukasz,Søren,Mary-Jane,Jean-Luc,Ólafur,Peter,Li,Dmitri,François,Ana,Núria,Bob,Kate,Dana,Ann'.split(
    ',',
  );
const LAST =
  "O'Brien,Müller,de la Cruz,van Gogh,Nguyễn,Smith,McDonald,García,Dvořák,al-Rashid,Lee,Alee,Peña,Pena,St. John,Tolkien,Ray,Gray".split(
    ',',
  );
const PLACE =
  'Lisbon,São Paulo,New York City,Fujioka,St. Louis,Côte d’Ivoire,Washington,Łódź,Bath,Reading,Nice,Orange'.split(',');
const REGION = 'Oregon,Gunma,Bavaria,D.C.,Ontario,New South Wales,Île-de-France'.split(',');
const NOUN =
  'Wolf,Hound,River,Answer,Band,Who,Night,Garden,House,Doubt,Age,Man,Time,Star,Hell,Shell,Kings,War,Letter,Road'.split(
    ',',
  );
const ADJECTIVE = 'Red,Blue,Old,New,Lost,Quiet,Royal,Grand,Little,Great,No,Yes,Last,First'.split(',');
const MONTH = 'January,February,March,April,May,June,July,August,September,October,November,December'.split(',');
const NATION = 'American,Portuguese,Polish,Anglo-Norman,Czech,Japanese,New Zealander,Afro-Cuban'.split(',');
const UNIT = 'miles,seated,km,years,episodes,people,m,acres'.split(',');
const SIGNED =
  'C++,C#,C,F#,A+,A-,A,B+,O-,O+,Notepad++,.NET,AT&T,AC/DC,M*A*S*H,*NSYNC,P!nk,Ke$ha,The The,The,!!!,---,???,?,A,+44,@Home,x²,H₂O,7-Eleven,50/50,24/7,U.S.A.,R.E.M.,N.W.A,Jay-Z,We’re,Were,He’ll,Vitamin A,Vitamin,Hepatitis B,Series A,Plan B,東京,大阪,かき,かぎ,Москва,Αθήνα,القاهرة,No. 7,No. 5,No. 10,Yes Minister,Yes, Minister,No, No, Nanette,No Doubt,No Age,Yes (band),007,7,3.10,3.1,2-1,21,1. FC Köln,2. Bundesliga,Bundesliga'.split(
    /,(?! )/,
  );

const of = (words: readonly string[]) => fc.constantFrom(...words);
const whole = fc.integer({ min: 1, max: 99_999 });
const year = fc.integer({ min: 1066, max: 2024 });
const thousands = whole.map((value) => value.toLocaleString('en-US'));

function joined(...parts: (string | Arbitrary<string | number>)[]): Arbitrary<string> {
  return fc
    .tuple(...parts.map((part) => (typeof part === 'string' ? fc.constant(part) : part)))
    .map((all) => all.join(''));
}

const person = fc.oneof(
  joined(of(FIRST), ' ', of(LAST)),
  joined(of(FIRST), ' ', of([...'ABCJR']), '. ', of(LAST)),
  joined(of([...'ABCJR']), '. ', of([...'ABCJR']), '. ', of(LAST)),
  joined(of(FIRST), ' ', of(FIRST), ' ', of(LAST)),
  joined(of(['Sir ', 'Dr. ', 'Saint ']), of(FIRST), ' ', of(LAST)),
  joined(of(FIRST), ' ', of(LAST), of([' Jr.', ' III', ', Jr.', ' II'])),
);
const place = fc.oneof(of(PLACE), joined(of(PLACE), ', ', of(REGION)), joined('the ', of(ADJECTIVE), ' ', of(NOUN)));
const title = fc.oneof(
  joined(of(['The ', 'A ', 'An ', '']), of(ADJECTIVE), ' ', of(NOUN), of(['', '', '!', '?', ' II', ' 2', '...'])),
  joined(of(NOUN), of([' of the ', ' and the ', ' in a ', ': The ', ' – ', ' & ', '/']), of(NOUN)),
  joined(of(ADJECTIVE), ' ', of(NOUN), ' (', of(['film', 'band', 'novel', '1998 film']), ')'),
  joined('"', of(ADJECTIVE), ' ', of(NOUN), of(['', 's', '’s']), '"'),
  joined(of(NOUN), of(['', '!', '’s ', "'"]), of(NOUN)),
);
const date = fc.oneof(
  year,
  joined(of(MONTH), ' ', fc.integer({ min: 1, max: 28 }), ', ', year),
  joined(fc.integer({ min: 1, max: 28 }), ' ', of(MONTH), ' ', year),
  joined(year, of([' to ', '–', '-', ' until ']), year),
  joined('from ', year, ' to ', year),
  joined(of(MONTH), ' ', year),
  joined(fc.integer({ min: 1, max: 99 }), of(['th', 'st', 'nd', 'rd']), ' century'),
);
const number = fc.oneof(
  whole,
  thousands,
  joined('-', fc.integer({ min: 1, max: 200 })),
  joined(of(['$', '€', '£']), thousands, of(['', ' million'])),
  joined(fc.integer({ min: 0, max: 99 }), '.', fc.integer({ min: 0, max: 99 })),
  joined(fc.integer({ min: 0, max: 100 }), '%'),
  joined(thousands, ' ', of(UNIT)),
  joined(fc.integer({ min: 0, max: 9 }), of(['-', ':', '/', '–']), fc.integer({ min: 0, max: 9 })),
  joined(fc.integer({ min: 1, max: 40 }), '°', of(['', ' C', ' N'])),
);

/** Right answers in the forms of HotpotQA's: names, places, titles, dates, numbers, yes and no, and what is hard to compare. */
const textGold: Arbitrary<string> = fc.oneof(
  { weight: 30, arbitrary: person },
  { weight: 12, arbitrary: place },
  { weight: 22, arbitrary: title },
  { weight: 16, arbitrary: date.map(String) },
  { weight: 14, arbitrary: number.map(String) },
  { weight: 2, arbitrary: of(NATION) },
  { weight: 2, arbitrary: of(SIGNED) },
  { weight: 2, arbitrary: of(['yes', 'no', 'Yes', 'No']) },
);

/** What the golds of a benchmark differ in by accident: one of them, and the same without a sign, accent, article or space. */
const nearGold: Arbitrary<string> = fc
  .tuple(textGold, of(['sign', 'accent', 'article', 'case', 'space', 'part', 'number', 'word']), fc.nat())
  .map(([gold, change, at]) => changed(gold, change, at))
  .filter((gold) => gold.trim() !== '');

function changed(gold: string, change: string, at: number): string {
  switch (change) {
    case 'sign': {
      const signs = [...gold.matchAll(/[^\p{L}\p{N}\s]/gu)];
      const sign = signs[at % Math.max(1, signs.length)];
      return sign ? gold.slice(0, sign.index) + gold.slice(sign.index + sign[0].length) : `${gold}+`;
    }
    case 'accent':
      return gold.normalize('NFD').replace(/\p{M}/gu, '');
    case 'article':
      return /^(?:The|A|An) /.test(gold) ? gold.replace(/^\w+ /, '') : `The ${gold}`;
    case 'case':
      return at % 2 === 0 ? gold.toLowerCase() : gold.toUpperCase();
    case 'space': {
      const words = gold.split(' ');
      const cut = at % Math.max(1, words.length - 1);
      return words
        .slice(0, cut)
        .concat(words.slice(cut, cut + 2).join(''), words.slice(cut + 2))
        .join(' ');
    }
    case 'part':
      return gold.split(/[\s,.(]+/)[at % 2] || gold;
    case 'number':
      return gold.replace(/\d/, (digit) => String((Number(digit) + 1) % 10));
    default:
      return `${gold} ${['2', 'II', '(film)', 'A', 'No', 'B'][at % 6]}`;
  }
}

/** So many different golds, always the same. */
export function differentGolds(count: number, seed: number): string[] {
  const golds = new Set<string>();
  for (let round = 0; golds.size < count; round += 1) {
    const arbitrary = round % 4 === 3 ? nearGold : textGold;
    for (const gold of fc.sample(arbitrary, { numRuns: 1000, seed: seed + round })) {
      if (golds.size < count) golds.add(gold);
    }
  }
  return [...golds];
}

const LATEX = [
  '\\frac{3}{4}', '-\\frac{1}{2}', '2\\sqrt{3}', '\\frac{\\pi}{6}', 'x^2+1', '(1, 2)', '[0, 1)', '\\{1, 2, 3\\}', '-1, 2',
  '(-\\infty, 3)', '\\begin{pmatrix}1\\\\2\\end{pmatrix}', '60^\\circ', '25\\%', 'y = 2x + 3', 'x^2 + y^2 = 1', '\\text{Yes}',
  '\\text{(A)}', '10^{12}', '1{,}234', '2\\frac{1}{2}', '\\infty', 'e^{2}', '\\log 2', '\\pm 3', '12:00', '3x-y+13=0', '\\emptyset',
  'n!', '\\binom{5}{2}', 'A \\cup B', '\\frac{x+1}{x-1}', '0.125', '-0', '\\text{east}', 'f(x) = 3x', '5\\text{ cm}', 'x > 3',
]; // prettier-ignore

export interface GoldOfKind {
  truth: Truth;
  /** The truth as an answer. */
  answer: string;
}

const solutions = ['(8-4)*6*1', '8/(3-8/3)', '5*(5-1/5)', '(1+2+3)*4', '(13-1)*(12-10)'];
const value = fc.oneof(
  fc.integer().map(String),
  joined(fc.integer({ min: -999, max: 999 }), '/', fc.integer({ min: 1, max: 99 })),
  joined(fc.integer({ min: -999, max: 999 }), '.', fc.nat({ max: 99 })),
);

/** A truth of every kind. */
export const truthWithAnswer: Arbitrary<GoldOfKind> = fc.oneof<Arbitrary<GoldOfKind>[]>(
  textGold.map((answer) => ({ truth: { kind: 'text', answers: [answer] }, answer })),
  fc
    .oneof(textGold, joined(textGold, ', ', textGold))
    .map((answer) => ({ truth: { kind: 'short-form', answer }, answer })),
  value.map((answer) => ({ truth: { kind: 'number', value: answer }, answer })),
  fc.integer().map((number) => ({ truth: { kind: 'exact-number', value: number }, answer: String(number) })),
  of(LATEX).map((answer) => ({ truth: { kind: 'expression', value: answer }, answer })),
  fc.tuple(fc.uniqueArray(textGold, { minLength: 2, maxLength: 10 }), fc.nat()).map(([choices, at]) => {
    const letter = String.fromCharCode('A'.charCodeAt(0) + (at % choices.length));
    return { truth: { kind: 'choice', letter, choices }, answer: letter };
  }),
  of(solutions).map((answer) => ({
    truth: { kind: 'twenty-four', numbers: answer.match(/\d+/g)!.map(Number) },
    answer,
  })),
);

/** How models wrap an answer. */
export const WRAPPINGS: readonly ((answer: string) => string)[] = [
  (x) => x,
  (x) => `  ${x}\n`,
  (x) => `**${x}**`,
  (x) => `__${x}__`,
  (x) => `\`${x}\``,
  (x) => `\`\`\`\n${x}\n\`\`\``,
  (x) => `## ${x}`,
  (x) => `* ${x}`,
  (x) => `<answer>${x}</answer>`,
  (x) => `<answer>\n**${x}**\n</answer>`,
  (x) => `<think>It may be Porto, 7 or C.</think>\n\n${x}`,
  (x) => `\\boxed{${x}}`,
  (x) => `\\boxed{\\text{${x}}}`,
  (x) => `$\\boxed{${x}}$`,
  (x) => `<answer>\\boxed{${x}}</answer>`,
  (x) => `\\text{${x}}`,
  (x) => `\\(${x}\\)`,
  (x) => `\\[${x}\\]`,
  (x) => `Answer: ${x}`,
  (x) => `**Answer:** ${x}`,
  (x) => `Answer: **${x}**`,
  (x) => `### Final Answer\n\n${x}`,
  (x) => `The answer is ${x}.`,
  (x) => `The final answer is: **${x}**.`,
  (x) => `The correct option is ${x}`,
  (x) => `So, after all of that, the answer is \\boxed{${x}}.`,
  (x) => `#### ${x}`,
];
