import { join } from 'node:path';
import { PROJECT_ROOT } from '../../infra/config/project-root.js';
import type { QuestionInput } from '../client/api-types.js';
import { readConfiguration } from '../submission.js';
import { readImages } from './read-images.js';

/** How a question is asked where no other file is named. */
const USUAL = join(PROJECT_ROOT, 'examples/solve.yaml');

export interface Asking {
  config?: string;
  policy?: string;
  /** Files of pictures. */
  image?: string[];
  maxTurns?: number;
}

/** A question as it is sent: what the file says, which the API checks, and what the command line says in its place. */
export async function readQuestion(question: string, options: Asking): Promise<QuestionInput> {
  const { config = USUAL, policy, image, maxTurns } = options;
  const file = await readConfiguration(config, { set: [] });
  const images = image && (await readImages(image));
  return {
    ...file,
    question,
    ...(policy !== undefined && { policy }),
    ...(images && { images }),
    ...(maxTurns !== undefined && { max_turns: maxTurns }),
  };
}
