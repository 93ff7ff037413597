import type { Analysis } from '../../../contracts/flow.js';
import type { Tool } from '../../tools/tool.js';
import { readWording } from '../question-wording.js';

/** The scripted query analysis: what the question's wording gives away, and which tools there are. */
export function analyse(question: string, tools: readonly Pick<Tool, 'title'>[]): Analysis {
  return {
    summary: needs(question),
    skills: '',
    tools: tools.map(({ title }) => title).join(', '),
    considerations: '',
  };
}

function needs(question: string): string {
  const wording = readWording(question);
  if (!wording) return 'The question is in free words.';
  const facts = wording.facts.length > 0 ? `Facts needed: ${wording.facts.join(', ')}.` : 'No facts needed.';
  return wording.formula === undefined ? `${facts} Nothing to compute.` : `${facts} To compute: ${wording.formula}.`;
}
