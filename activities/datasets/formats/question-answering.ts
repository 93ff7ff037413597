import { needText, needTexts, textOf, textsOf, type Row } from '../rows/rows.js';
import { withoutInstruction, type Format } from './format.js';

const IDS = ['id', '_id', 'pid', 'idx'];
const QUESTIONS = ['question', 'Question', 'query'];
const ANSWERS = ['answer', 'Answer', 'golden_answers', 'answers'];
/** Tables have no lists: `Answer 2`, `answer_3`. */
const NUMBERED = ['answer', 'Answer'].flatMap((name) =>
  Array.from({ length: 11 }, (_, number) => [`${name} ${number}`, `${name}_${number}`]).flat(),
);
const ALIASES = ['answer_aliases', 'aliases', ...NUMBERED];
/** Kinds of questions: HotpotQA and 2WikiMultihopQA call them `type`. */
const KINDS = ['type'];

/**
 * Questions with texts as answers: Bamboogle, 2WikiMultihopQA, HotpotQA, MuSiQue and Natural Questions, in their own
 * layouts, in FlashRAG's (`golden_answers`) and in that of the original's benchmark files (`query`, `pid`).
 */
export function questionAnswering(family: string, familyOf: (row: Row) => string | undefined = kindOf): Format {
  return {
    columns: [...IDS, ...QUESTIONS, ...ANSWERS, ...ALIASES, ...KINDS, 'answerable'],
    read: (row) => {
      if (row.answerable === false) return undefined;
      return {
        id: textOf(row, ...IDS),
        question: withoutInstruction(needText(row, ...QUESTIONS)),
        family: familyOf(row) ?? family,
        truth: {
          kind: 'text',
          answers: answersOf(row),
        },
      };
    },
  };
}

/** `answer_0`, `answer_1` alone will do. @throws RowError if there is none */
function answersOf(row: Row): string[] {
  const numbered = textsOf(row, ...ALIASES);
  return [...new Set([...(numbered.length > 0 ? textsOf(row, ...ANSWERS) : needTexts(row, ...ANSWERS)), ...numbered])];
}

function kindOf(row: Row): string | undefined {
  return textOf(row, ...KINDS);
}

/** MuSiQue writes the number of hops into its ids: `2hop__…`, `3hop1__…`. */
export function hopsOf(row: Row): string | undefined {
  return /^([2-4]hop)/.exec(textOf(row, 'id') ?? '')?.[1];
}
