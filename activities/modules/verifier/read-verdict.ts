import type { Verdict } from '../../../contracts/agent-activities.js';
import { cutText } from '../../text/cut-text.js';
import { textParts } from '../module-prompts.js';
import { partsIn } from '../reply/parts.js';

const LABELS = {
  critique: ['Critique', 'Analysis', 'Explanation'],
  verdict: ['Verdict', 'Conclusion', 'Final Verdict'],
  stop: ['Stop Signal', 'Stop'],
};
const CRITIQUE_BYTES = 2 * 1024;

/** The form of the reply for models that can be held to it. */
export const VERDICT_FORM = textParts('verdict', ['critique', 'verdict'], { verdict: ['STOP', 'CONTINUE'] });

/**
 * Reads the reply, JSON or labelled parts; else a reply that begins with its verdict, or has it alone on a line, the
 * last one. The word has to stand for itself: "should not stop" is no STOP. What says neither is CONTINUE.
 */
export function readVerdict(text: string): Verdict {
  const { critique, verdict, stop } = partsIn(text, LABELS, ['verdict', 'stop']);
  const said = wordOf(verdict) ?? lastSentence(verdict) ?? signalOf(stop) ?? firstWord(text) ?? loneWord(text);
  return { verdict: said ?? 'CONTINUE', critique: cutText(critique ?? withoutVerdict(text), CRITIQUE_BYTES) };
}

/** `True`, `yes`, `**true**.`, and the same for false, as the part `Stop Signal` says it. */
function signalOf(part = ''): Verdict['verdict'] | undefined {
  const word = /^[\s*_`"'([]*(true|yes|false|no|stop|continue)\b(?!\s*(?:or\b|\/|\|))/i.exec(part)?.[1].toLowerCase();
  if (word === undefined) return undefined;
  return ['true', 'yes', 'stop'].includes(word) ? 'STOP' : 'CONTINUE';
}

/** `The memory is sufficient. STOP` */
function lastSentence(part = ''): Verdict['verdict'] | undefined {
  const said = withoutEnd(part, /[\s*_`"')\].!]/);
  const word = /(?:stop|continue)$/i.exec(said.slice(-'continue'.length))?.[0];
  if (word === undefined) return undefined;
  const before = said.slice(0, -word.length);
  const sentence = withoutEnd(before, /[\s*_`"'([]/);
  const isOwn = /[.:;!?]/.test(sentence.slice(-1)) || before.slice(sentence.length).includes('\n');
  return isOwn ? (word.toUpperCase() as Verdict['verdict']) : undefined;
}

/** Character by character: a pattern that is looked for from everywhere takes the square of a text of marks. */
function withoutEnd(text: string, mark: RegExp): string {
  let end = text.length;
  while (end > 0 && mark.test(text[end - 1])) end -= 1;
  return text.slice(0, end);
}

/** The verdict that a part consists of, or begins with, markup and a full stop aside. */
function wordOf(part = ''): Verdict['verdict'] | undefined {
  const word = /^[\s*_`"'([]*(stop|continue)\b(?!\s*(?:ping|ing|signal|or\b|\/|\|))/i.exec(part)?.[1];
  return word?.toUpperCase() as Verdict['verdict'] | undefined;
}

/** `STOP: the area was found.` */
function firstWord(text: string): Verdict['verdict'] | undefined {
  const word = /^[\s*_`"'([]*(stop|continue)[\s*_`"')\]]*(?:[:.,;!–—-]|\n|$)/i.exec(text)?.[1];
  return word?.toUpperCase() as Verdict['verdict'] | undefined;
}

const LONE = /^[\s*_`"'([]*(stop|continue)[\s*_`"')\].!]*$/i;

function loneWord(text: string): Verdict['verdict'] | undefined {
  const words = text.split(/[\n\r\u2028\u2029]/).map((line) => LONE.exec(line)?.[1]);
  return words.findLast((word) => word !== undefined)?.toUpperCase() as Verdict['verdict'] | undefined;
}

function withoutVerdict(text: string): string {
  return text.replace(/^[\s*_`"'([]*(?:stop|continue)[\s*_`"')\]]*[:.,;!–—-]*\s*/i, '') || text;
}
