import { closest, distance } from 'fastest-levenshtein';

/** Slips are made in short words; comparing long ones, or with many, costs more than it helps. */
const [MAX_LENGTH, MAX_CHOICES] = [40, 200];

/**
 * The choice that was probably meant.
 * @param slips letters that may differ, by the choice
 */
export function nearest(
  name: string,
  choices: readonly string[],
  slips: (choice: string) => number,
): string | undefined {
  if (name.length > MAX_LENGTH || choices.length === 0 || choices.length > MAX_CHOICES) return undefined;
  const candidate = closest(name, [...choices]);
  return distance(name.toLowerCase(), candidate) <= slips(candidate) ? candidate : undefined;
}
