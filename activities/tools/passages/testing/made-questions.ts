/** A question as HotpotQA's files have it, in the distractor setting. Everything in it is made up. */
export interface MadeQuestion {
  _id: string;
  question: string;
  answer: string;
  type: 'bridge';
  level: 'hard';
  supporting_facts: [title: string, sentence: number][];
  context: [title: string, sentences: string[]][];
}

const BEGINNINGS = ['Mar', 'Tol', 'Bren', 'Oss', 'Ver', 'Kal', 'Lind', 'Ard', 'Hes', 'Nor'];
const ENDS = ['ena', 'wick', 'dal', 'ora', 'mund'];
const COLOURS = ['Silver', 'Hollow', 'Crimson', 'Quiet', 'Northern', 'Broken', 'Golden', 'Distant', 'Winter', 'Amber'];
const THINGS = ['Orchard', 'Harbour', 'Lantern', 'Meadow', 'Clock'];
const DISTRACTORS = 8;

const named = (index: number, first: readonly string[], second: readonly string[], between = ''): string =>
  `${first[index % first.length]}${between}${second[Math.floor(index / first.length) % second.length]}`;

const authorOf = (index: number): string =>
  `${named(index, BEGINNINGS, ENDS)} ${named(index * 7 + 3, BEGINNINGS, ENDS)}`;
const townOf = (index: number): string => `${named(index * 3 + 1, BEGINNINGS, ENDS)}by`;
const bookOf = (index: number): string => `The ${named(index, COLOURS, THINGS, ' ')}`;

/** Up to 50 questions of two hops: a book, its author, and where the author was born. */
export function madeQuestions(count: number): MadeQuestion[] {
  return Array.from({ length: count }, (_, index) => {
    const gold = [bookOn(index), authorOn(index)];
    const others = Array.from({ length: DISTRACTORS }, (_, other) =>
      (other % 2 === 0 ? bookOn : authorOn)((index + 1 + other * 3) % 50),
    );
    return {
      _id: `made-${index}`,
      question: `In which town was the author of ${bookOf(index)} born?`,
      answer: townOf(index),
      type: 'bridge',
      level: 'hard',
      supporting_facts: gold.map(([title]) => [title, 0]),
      context: [...others.slice(0, 3), gold[1], ...others.slice(3), gold[0]],
    };
  });
}

function bookOn(index: number): [string, string[]] {
  return [
    bookOf(index),
    [
      `${bookOf(index)} is a novel by ${authorOf(index)}.`,
      ` It was published in ${1900 + index} and tells of three sisters who keep a mill.`,
    ],
  ];
}

function authorOn(index: number): [string, string[]] {
  return [
    authorOf(index),
    [`${authorOf(index)} was a novelist and teacher.`, ` The writer was born in the town of ${townOf(index)}.`],
  ];
}
