/** `0.5 (1/2)`, `\frac{\pi}{4} \approx 0.785`, `1/2, or 0.5`: a value, and perhaps the same once more. */
const ASIDES = [
  /^(\S[\s\S]*?)\s+\(([^()]+)\)$/,
  /^(\S[\s\S]*?)\s*(?:≈|\\approx(?![a-zA-Z]))\s*(\S[\s\S]*)$/,
  /^(\S[\s\S]*?),?\s+or\s+(\S[\s\S]*)$/,
];
const DECIMAL = /^[+-]?\d*\.(\d+)$/;

/** What stands before a second expression that may repeat it, and that one; undefined where there is none. */
export function withAside(text: string): [main: string, aside: string] | undefined {
  const found = ASIDES.map((form) => form.exec(text)).find((match) => match !== null);
  return found && [found[1], found[2]];
}

/** Whether one of two numbers is the other, rounded to the decimals that it is written with. */
export function isRoundedTo(one: number, other: number, texts: readonly [string, string]): boolean {
  const decimals = texts.map((text) => DECIMAL.exec(text.trim())?.[1].length ?? 0).filter((count) => count > 0);
  if (decimals.length === 0) return one === other;
  return Math.abs(one - other) <= 0.500001 * 10 ** -Math.min(...decimals);
}
