import type { UploadLayout } from '../../../contracts/uploaded-dataset.js';
import type { FileRegistration } from '../items/load-items.js';

/** Words in a row that overlap with a benchmark's; of no effect without one. */
const OVERLAP_WORDS = 13;

/** An uploaded file, as the operator would register it. */
export function uploadRegistration(path: string, { columns, ...layout }: UploadLayout): FileRegistration {
  return { kind: 'own', path, columns, ...layout, exclude_overlap_with: [], overlap_words: OVERLAP_WORDS };
}
