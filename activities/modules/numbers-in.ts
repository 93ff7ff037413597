/** The numbers in a text, in order, as written but without thousands separators. */
export function numbersIn(text: string): string[] {
  return (text.match(/(?<![\w.])-?\d[\d,]*(?:\.\d+)?/g) ?? []).map((number) => number.replaceAll(',', ''));
}
