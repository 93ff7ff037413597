import type { RulesVersion } from '../../contracts/scoring.js';
import type { Truth } from '../datasets/items/truth.js';
import { plainCharacters } from './reading/plain-characters.js';
import { f1OfWords } from './rules/text-keys.js';
import { finalStatement } from './rules-2/reading/statement.js';
import { saidText } from './score-by-rules.js';

/** Python's `string.punctuation`, which the scripts delete, and the punctuation of other scripts (`–`, `。`). */
const PUNCTUATION = /[\p{P}$+<=>^`|~]/gu;
const ARTICLE = /(?<![\p{L}\p{M}\p{N}])(?:a|an|the)(?![\p{L}\p{M}\p{N}])/gu;
/** Answers of which a part is worth nothing: `yes no` would else earn two thirds of every such question. */
const INDIVISIBLE = ['yes', 'no', 'noanswer'];

/** What an answer says, as the rules of a run read it. */
const SAID: Record<RulesVersion, (answer: string, truth: Truth) => string> = {
  'rules-1': saidByRules2,
  'rules-2': saidByRules2,
  'rules-3': saidText,
};

function saidByRules2(answer: string): string {
  return finalStatement(answer, 'words', (text) => text !== '')?.readings[0] ?? '';
}

/**
 * The F1 that a training rollout's answer is rewarded by if no rule can tell. Undefined for a truth that is no text.
 */
export function rewardByF1(answer: string, truth: Truth, rules: RulesVersion): number | undefined {
  return truth.kind === 'text' ? tokenF1(SAID[rules](answer, truth), truth.answers) : undefined;
}

/**
 * Harmonic mean of precision and recall of an answer's words, as SQuAD defined it (Rajpurkar et al. 2016), of the best
 * truth, with the exception that HotpotQA's script makes for yes and no. Words are in lower case, without punctuation
 * and articles, and count as often as they occur. Other than in the scripts a text of nothing but these keeps them: it
 * would have no words, and its own answer no reward.
 */
export function tokenF1(answer: string, truths: readonly string[]): number {
  const given = wordsOf(answer);
  return Math.max(0, ...truths.map((truth) => f1Of(given, wordsOf(truth))));
}

function f1Of(given: readonly string[], wanted: readonly string[]): number {
  const isIndivisible = [given, wanted].some((words) => INDIVISIBLE.includes(words.join(' ')));
  return isIndivisible && given.join(' ') !== wanted.join(' ') ? 0 : f1OfWords(given, wanted);
}

function wordsOf(text: string): string[] {
  const plain = plainCharacters(text).toLowerCase();
  const bare = plain.replace(PUNCTUATION, '');
  return [bare.replace(ARTICLE, ' '), bare, plain].map(split).find((words) => words.length > 0) ?? [];
}

function split(text: string): string[] {
  return text.split(/\s+/).filter(Boolean);
}
