/**
 * The value of a text that is nothing but a number, with separators, a currency sign or a percent sign; undefined for any
 * other text.
 */
export function plainNumber(text: string): number | undefined {
  const bare = text
    .trim()
    .replace(/^[$€£]\s*/, '')
    .replace(/\s*%$/, '')
    .replace(/\.$/, '');
  if (!/^[+-]?(?:\d{1,3}(?:,\d{3})+|\d+)(?:\.\d+)?$/.test(bare) && !/^[+-]?\.\d+$/.test(bare)) return undefined;
  return Number(bare.replaceAll(',', ''));
}
