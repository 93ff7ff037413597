import type { Analysis } from '../../../contracts/flow.js';
import { cutText } from '../../text/cut-text.js';
import { textParts } from '../module-prompts.js';
import { partsIn } from '../reply/parts.js';

const LABELS = {
  summary: ['Summary', 'Concise Summary'],
  skills: ['Skills', 'Required Skills'],
  tools: ['Tools', 'Relevant Tools'],
  considerations: ['Considerations', 'Additional Considerations'],
};
const PART_BYTES = 2 * 1024;

/** The form of the reply for models that can be held to it. */
export const ANALYSIS_FORM = textParts('query_analysis', Object.keys(LABELS));

/** Reads the reply, JSON or labelled parts. One in free words is taken as a summary. */
export function readAnalysis(text: string): Analysis {
  const parts = partsIn(text, LABELS, ['summary', 'skills', 'tools', 'considerations']);
  const read = Object.keys(parts).length > 0 ? parts : { summary: text };
  const { summary = '', skills = '', tools = '', considerations = '' } = read as Partial<Analysis>;
  return {
    summary: cutText(summary, PART_BYTES),
    skills: cutText(skills, PART_BYTES),
    tools: cutText(tools, PART_BYTES),
    considerations: cutText(considerations, PART_BYTES),
  };
}
