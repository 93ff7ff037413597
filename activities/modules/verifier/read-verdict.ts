import type { Verdict } from '../../../workflows/contracts/agent-activities.js';
import { cutText } from '../../tools/cut-text.js';
import { textParts } from '../module-prompts.js';
import { withoutThinking } from '../reply/json-object.js';
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
export function readVerdict(reply: string): Verdict {
  const text = withoutThinking(reply);
  const { critique, verdict, stop } = partsIn(text, LABELS);
  const said = wordOf(verdict) ?? (stop === 'true' ? 'STOP' : undefined) ?? firstWord(text) ?? loneWord(text);
  return { verdict: said ?? 'CONTINUE', critique: cutText(critique ?? withoutVerdict(text), CRITIQUE_BYTES) };
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

function loneWord(text: string): Verdict['verdict'] | undefined {
  const words = [...text.matchAll(/^[\s*_`"'([]*(stop|continue)[\s*_`"')\].!]*$/gim)];
  return words.at(-1)?.[1].toUpperCase() as Verdict['verdict'] | undefined;
}

function withoutVerdict(text: string): string {
  return text.replace(/^[\s*_`"'([]*(?:stop|continue)[\s*_`"')\]]*[:.,;!–—-]*\s*/i, '') || text;
}
