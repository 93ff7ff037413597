import { scoreByRules } from '../../activities/scoring/score-by-rules.js';
import type { Truth } from '../../activities/datasets/items/truth.js';

/**
 * Rules of others, as small functions after their published definitions. They say right or not: none of them leaves an
 * answer undecided.
 */
type Ruler = (answer: string, truth: Truth) => boolean;

/** Python's string.punctuation. */
const PUNCTUATION = /[!"#$%&'()*+,\-./:;<=>?@[\\\]^_`{|}~]/g;

/** Without case, punctuation and articles: https://rajpurkar.github.io/SQuAD-explorer/ evaluate-v1.1, HotpotQA's too. */
function squadForm(text: string): string {
  return text
    .toLowerCase()
    .replace(PUNCTUATION, '')
    .replace(/\b(?:a|an|the)\b/g, ' ')
    .split(/\s+/)
    .filter(Boolean)
    .join(' ');
}

/** Search-R1 and verl's search_r1_like_qa_em: the last `<answer>`, in SQuAD's form; no tag is no answer. */
function searchR1(answer: string, golds: readonly string[]): boolean {
  const said = [...answer.matchAll(/<answer>([\s\S]*?)<\/answer>/g)].at(-1)?.[1];
  return said !== undefined && golds.some((gold) => squadForm(gold) === squadForm(said));
}

/** lm-evaluation-harness, tasks/triviaqa and nq_open: exact match without case and punctuation. */
function harnessText(answer: string, golds: readonly string[]): boolean {
  const form = (text: string) => text.toLowerCase().replace(PUNCTUATION, '').trim();
  return golds.some((gold) => form(gold) === form(answer));
}

/** lm-evaluation-harness, tasks/gsm8k: `flexible-extract`, the last number, or `strict-match`, the one after `####`. */
function harnessNumber(answer: string, gold: string, isStrict: boolean): boolean {
  const pattern = isStrict ? /#### (-?[0-9.,]+)/g : /(-?[$0-9.,]{2,})|(-?[0-9]+)/g;
  const found = [...answer.matchAll(pattern)].at(isStrict ? 0 : -1);
  const form = (text: string) => text.replace(/[,$]/g, '').replace(/\.$/, '');
  return found !== undefined && form(found[1] ?? found[2]) === form(gold);
}

/** lm-evaluation-harness, tasks/hendrycks_math: the last box, in the form of MATH's `is_equiv`. */
function harnessExpression(answer: string, gold: string): boolean {
  return mathForm(lastBoxed(answer) ?? answer) === mathForm(gold);
}

function lastBoxed(text: string): string | undefined {
  const start = text.lastIndexOf('\\boxed{');
  if (start < 0) return undefined;
  let depth = 0;
  for (let at = start + '\\boxed'.length; at < text.length; at += 1) {
    if (text[at] === '{') depth += 1;
    if (text[at] === '}') depth -= 1;
    if (depth === 0) return text.slice(start + '\\boxed{'.length, at);
  }
  return undefined;
}

function mathForm(text: string): string {
  const plain = text
    .replace(/\n|\\!|\\left|\\right|\^\{?\\circ\}?|\\\$|\\?%/g, '')
    .replaceAll('\\\\', '\\')
    .replace(/\\[td]frac/g, '\\frac')
    .replace(/\\text\{ .*$/, '')
    .replace(/(^|[ {])\./g, '$10.')
    .replace(/^[^=]{1,2}=/, '')
    .replace(/\\sqrt(\w)/g, '\\sqrt{$1}')
    .replace(/\\frac(\w)(\w)/g, '\\frac{$1}{$2}')
    .replaceAll(' ', '');
  if (plain === '0.5') return '\\frac{1}{2}';
  return plain.replace(/^(-?\d+)\/(-?\d+)$/, '\\frac{$1}{$2}');
}

/** lm-evaluation-harness, tasks/mmlu_pro: the letter after `answer is`. */
function harnessChoice(answer: string, letter: string): boolean {
  return /answer is \(?([A-J])\)?/.exec(answer)?.[1] === letter;
}

/** What is compared with ours for a kind of truth; math-verify is asked apart, by `mathVerify`. */
export function rulersFor(kind: Truth['kind']): Record<string, Ruler> {
  const number = (truth: Truth) => String((truth as Extract<Truth, { kind: 'number' }>).value);
  const golds = (truth: Truth) =>
    truth.kind === 'text' ? truth.answers : [(truth as Extract<Truth, { kind: 'short-form' }>).answer];
  switch (kind) {
    case 'text':
    case 'short-form':
      return {
        'lm-eval (TriviaQA)': (answer, truth) => harnessText(answer, golds(truth)),
        'Search-R1 / verl EM': (answer, truth) => searchR1(answer, golds(truth)),
      };
    case 'number':
    case 'exact-number':
      return {
        'lm-eval (GSM8K strict)': (answer, truth) => harnessNumber(answer, number(truth), true),
        'lm-eval (GSM8K flexible)': (answer, truth) => harnessNumber(answer, number(truth), false),
      };
    case 'expression':
      return { 'lm-eval (MATH)': (answer, truth) => harnessExpression(answer, number(truth)) };
    case 'choice':
      return {
        'lm-eval (MMLU-Pro)': (answer, truth) =>
          harnessChoice(answer, (truth as Extract<Truth, { kind: 'choice' }>).letter),
      };
    case 'twenty-four':
      return {};
  }
}

/** Ours: `undecided` is not right. */
export const ours: Ruler = (answer, truth) => scoreByRules(answer, truth).ruling === 'right';
