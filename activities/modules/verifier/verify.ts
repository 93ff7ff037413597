import type { Verdict } from '../../../contracts/agent-activities.js';
import type { TurnRecord } from '../../../contracts/flow.js';
import { factFound } from '../facts-found.js';
import { numbersIn } from '../numbers-in.js';
import { readWording } from '../question-wording.js';

/**
 * The scripted verifier. It reads the question's wording, and judges whether the memory can hold the answer, not
 * whether the answer is right: the last result must be a number; where something is to be computed it must come from
 * the calculator; where several facts are needed, each must have been found.
 */
export function verify(question: string, memory: readonly TurnRecord[]): Verdict {
  const last = memory.at(-1);
  if (!last) return goOn('Nothing was done yet.');
  if (last.mistake !== undefined) return goOn(`The last call failed: ${last.mistake}.`);
  if (numbersIn(last.result ?? '').length === 0) return goOn('The last result holds no number.');
  const { facts, formula } = readWording(question) ?? { facts: [] };
  if (formula === undefined) return { verdict: 'STOP', critique: 'The last result holds a number.' };
  if (last.tool !== 'calculator') return goOn('The number still has to be computed with.');
  const missing = facts.filter((fact) => factFound(memory, fact) === undefined);
  if (facts.length > 1 && missing.length > 0) return goOn(`Not found yet: ${missing.join(', ')}.`);
  return { verdict: 'STOP', critique: 'The calculator gave a number.' };
}

function goOn(critique: string): Verdict {
  return { verdict: 'CONTINUE', critique };
}
