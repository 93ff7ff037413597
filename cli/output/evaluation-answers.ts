import type { EvaluationAnswer } from '../client/api-types.js';
import { formatTable, oneLine } from './format.js';

const HEADER = ['GRADE', 'BENCHMARK', 'POLICY', 'TURNS', 'QUESTION', 'RULED BY', 'ANSWER'];
/** Characters of an answer: what decides it mostly stands in so many. */
const ANSWER_LENGTH = 120;

/** A line an answer. */
export function answersTable(answers: readonly EvaluationAnswer[]): string[] {
  return formatTable(
    HEADER,
    answers.map(({ grade, benchmark, policy, max_turns, query_id, rule, judge, answer, outcome }) => [
      grade,
      benchmark,
      policy,
      String(max_turns),
      query_id,
      judge ? `judge ${judge.model}` : (rule ?? '-'),
      answer === null ? `(${outcome})` : oneLine(answer, ANSWER_LENGTH),
    ]),
  );
}
