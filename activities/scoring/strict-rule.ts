import type { Truth } from '../datasets/items/truth.js';
import { scoreExactNumber } from './exact-number.js';
import { plainCharacters } from './reading/plain-characters.js';
import { endOfGroup } from './reading/wrappings.js';
import { makes24 } from './rules/twenty-four.rule.js';

/**
 * Whether an answer is the truth as it is written, bare or as the only one that is marked with `<answer>` or a box. It
 * is stricter than the rules: what they forgive (prose around it, other words, another form) it does not. So it says of
 * a rewarded answer how much of the rules' patience it needed.
 */
export function isStrictlyRight(answer: string, truth: Truth): boolean {
  const said = plain(onlyMarked(answer));
  switch (truth.kind) {
    case 'exact-number':
      return scoreExactNumber(said, truth.value) === 1;
    case 'number':
      return said === plain(truth.value);
    case 'expression':
      return withoutSpace(said) === withoutSpace(plain(truth.value));
    case 'choice': {
      const { letter, choices } = truth;
      const text = plain(choices[letter.charCodeAt(0) - 'A'.charCodeAt(0)]);
      return [letter, `(${letter})`, `${letter})`, text, `${letter}. ${text}`, `(${letter}) ${text}`].includes(said);
    }
    case 'text':
      return truth.answers.some((text) => said.toLowerCase() === plain(text).toLowerCase());
    case 'short-form':
      return said.toLowerCase() === plain(truth.answer).toLowerCase();
    case 'twenty-four':
      return /^[\d\s()+\-*/]+$/.test(said) && makes24(said, truth.numbers);
  }
}

/** What stands in the only mark of an answer; all of an answer that has none, or several. */
function onlyMarked(answer: string): string {
  const marks = [...answer.matchAll(/<answer>([\s\S]*?)<\/answer>|\\boxed\s*\{/gi)];
  if (marks.length !== 1) return answer;
  const [{ 0: mark, 1: tagged, index }] = marks;
  if (tagged !== undefined) return onlyMarked(tagged);
  const start = index + mark.length;
  return answer.slice(start, endOfGroup(answer, start) ?? start);
}

function plain(text: string): string {
  return plainCharacters(text).trim().replace(/\s+/g, ' ').replace(/\.$/, '');
}

function withoutSpace(text: string): string {
  return text.replaceAll(' ', '');
}
