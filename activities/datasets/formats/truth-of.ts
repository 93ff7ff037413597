import type { AnswerKind } from '../../../infra/config/operator/datasets.js';
import type { ReadItem } from '../items/item.js';
import { needTexts, type Row } from '../rows/rows.js';
import { choicesOf, rightChoice } from './choices.js';
import { resultOf } from './final-result.js';

/** Where a record has its answer, and how. */
export interface AnswerColumns {
  answers: readonly string[];
  choices: readonly string[];
  /** Between answers in one text. */
  separator?: string;
}

/** What makes an answer of this kind right. @throws RowError if the record does not say */
export function truthOf(row: Row, kind: AnswerKind, { answers, choices, separator }: AnswerColumns): ReadItem['truth'] {
  switch (kind) {
    case 'text':
      return { kind, answers: separatedTexts(needTexts(row, ...answers), separator) };
    case 'number':
    case 'expression':
      return { kind, value: resultOf(row, ...answers) };
    case 'choice':
      return rightChoice(row, choicesOf(row, ...choices), answers[0], answers[0]);
  }
}

function separatedTexts(texts: readonly string[], separator: string | undefined): string[] {
  if (separator === undefined) return [...texts];
  const parts = texts.flatMap((text) => text.split(separator)).map((part) => part.trim());
  return [...new Set(parts.filter((part) => part !== ''))];
}
