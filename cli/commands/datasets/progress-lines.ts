import type { FetchProgress } from '../../../infra/datasets/fetch-dataset.js';

const MEGABYTE = 1_000_000;
const STEPS = 10;

/** A line for each tenth of a file, or for each 10 MB where its size is not known. */
export function progressLines(print: (line: string) => void): (progress: FetchProgress) => void {
  const reached = new Map<string, number>();
  return ({ file, bytes, total }) => {
    const step = Math.floor(total ? (bytes / total) * STEPS : bytes / (10 * MEGABYTE));
    if (step <= (reached.get(file) ?? 0)) return;
    reached.set(file, step);
    const size = `${(bytes / MEGABYTE).toFixed(1)} MB`;
    print(`${file}: ${size}${total ? `, ${Math.round((bytes / total) * 100)} %` : ''}`);
  };
}
