import type { AnswerKind } from '../../../infra/config/operator/datasets.js';
import { MissingText, needText, RowError, textOf, textsOf, valueOf, type Row } from '../rows/rows.js';
import { questionWithChoices, choicesOf } from './choices.js';
import { withoutInstruction, type Format } from './format.js';
import { promptText } from './prompt.js';
import { truthOf } from './truth-of.js';

const GOLDS = ['reward_model.ground_truth', 'ground_truth', 'result', 'golden_answers', 'answer'];
const CHOICES = ['choices', 'options'];

/** What the sources of the usual files are scored by. Programs, for one, cannot be. */
const KINDS: [RegExp, AnswerKind][] = [
  [/(^|[/_])(nq|natural_questions|triviaqa|popqa|hotpotqa|2wikimultihopqa|musique|bamboogle)(_|$)/i, 'text'],
  [/gsm8k|math_dapo|^aime|^amc/i, 'number'],
  [/math|numina|^deepscaler/i, 'expression'],
];

/** Instructions for another program, which files of this layout have around or after the question. */
const INSTRUCTIONS = [
  /^Answer the given question\. You must conduct reasoning inside <think>[\s\S]*?Question:\s*/,
  /^Solve the following math problem step by step\. The last line of your response should be of the form Answer:[^\n]*\n+/,
  /\s*Remember to put your answer on its own line after "Answer:"\.?\s*$/,
  /\s*Let's think step by step and output the final answer (?:after "####"|within \\boxed\{\})\.?\s*$/,
];

/**
 * The layout of verl: `prompt` (a text or a chat), `reward_model.ground_truth` (a text, a list, `{ target: [...] }`),
 * `data_source`, `extra_info`; and that of the original's training files: `question`, `result`, `source`. What a source
 * is scored by is known of the usual ones; `answers` says it of all.
 */
export function verl(answers: AnswerKind | undefined): Format {
  return {
    columns: [
      ...['id', 'data_source', 'source', 'question', 'prompt', 'extra_info', 'images', 'index'],
      ...GOLDS,
      ...CHOICES,
    ],
    read: (row) => {
      if (hasPictures(row)) return undefined;
      const source = textOf(row, 'data_source', 'source');
      const kind = answers ?? kindOf(source);
      const question = questionOf(row);
      const golds = GOLDS.find((column) => textsOf(row, column).length > 0);
      if (golds === undefined) throw new MissingText(GOLDS);
      const choices = CHOICES.filter((column) => valueOf(row, column) !== undefined).slice(0, 1);
      // The original joins the answers of its search questions.
      const separator = golds === 'result' ? '; ' : undefined;
      return {
        id: idOf(row, source),
        question: kind === 'choice' ? questionWithChoices(question, choicesOf(row, ...choices).texts) : question,
        family: source ?? 'verl',
        truth: truthOf(row, kind, { answers: [golds], choices, separator }),
      };
    },
  };
}

function hasPictures({ images }: Row): boolean {
  return Array.isArray(images) && images.length > 0;
}

/** @throws RowError if it is not known */
function kindOf(source: string | undefined): AnswerKind {
  if (source === undefined) throw new RowError('has no data_source or source: say what its answers are with answers');
  const kind = KINDS.find(([pattern]) => pattern.test(source))?.[1];
  if (kind !== undefined) return kind;
  throw new RowError(`has the source ${source}, which is not known: say what its answers are with answers`);
}

function questionOf(row: Row): string {
  const question = textOf(row, 'question', 'extra_info.question');
  if (question !== undefined) return withoutInstruction(question);
  if (valueOf(row, 'prompt') === undefined) return needText(row, 'question', 'extra_info.question', 'prompt');
  return INSTRUCTIONS.reduce((text, instruction) => text.replace(instruction, ''), promptText(row, 'prompt')).trim();
}

/** Sources count their records each for itself. */
function idOf(row: Row, source: string | undefined): string | undefined {
  const id = textOf(row, 'id');
  if (id !== undefined) return id;
  const index = textOf(row, 'extra_info.index', 'index');
  if (index === undefined) return undefined;
  return [source, textOf(row, 'extra_info.split'), index].filter((part) => part !== undefined).join('/');
}
