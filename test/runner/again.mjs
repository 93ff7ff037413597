/**
 * What a part of the tests came to. `again` runs what failed once more, with nothing beside it, and resolves to what
 * the part comes to then, with the names of the tests that passed only now (`unsteady`).
 * @typedef {{ passed: number, failed: number, skipped: number, unsteady?: string[], again?: () => Promise<Counts> }} Counts
 */

/** A few tests that fail beside others may have met a busy machine; more are a defect. */
const FEW = 5;

/** Whether so many failures are tried again. */
export const fewEnough = (failed) => failed > 0 && failed <= FEW;

/**
 * Runs again, one part after another, what failed beside others. What passes then is no failure, and is listed: the
 * test depends on how fast the machine is, or the project has a race. Either is a defect to look for.
 * @param {Counts[]} parts
 */
export async function runFailuresAgain(parts) {
  const ended = [];
  for (const part of parts) ended.push(part.again ? await part.again() : part);
  return ended;
}

/** @param {Counts[]} parts */
export function sumOf(parts) {
  const total = { passed: 0, failed: 0, skipped: 0 };
  for (const part of parts) for (const kind of Object.keys(total)) total[kind] += part[kind];
  return { ...total, unsteady: parts.flatMap((part) => part.unsteady ?? []) };
}
