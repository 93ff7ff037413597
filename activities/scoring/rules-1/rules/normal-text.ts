/**
 * A text as it is compared: lower case, without punctuation, articles and superfluous space. Letters keep no accents:
 * `Łódź` and `Lodz` are the same.
 */
export function normalText(text: string): string {
  return text
    .toLowerCase()
    .normalize('NFKD')
    .replace(/\p{M}/gu, '')
    .replace(/ł/g, 'l')
    .replace(/[^\p{L}\p{N}]+/gu, ' ')
    .replace(/\b(?:a|an|the)\b/g, ' ')
    .replace(/\s+/g, ' ')
    .trim();
}

/** Harmonic mean of the precision and the recall of the answer's words, each counted as often as it occurs. */
export function wordF1(answer: string, truth: string): number {
  const given = normalText(answer).split(' ').filter(Boolean);
  const wanted = normalText(truth).split(' ').filter(Boolean);
  const left = [...wanted];
  const common = given.filter((word) => {
    const position = left.indexOf(word);
    if (position >= 0) left.splice(position, 1);
    return position >= 0;
  }).length;
  return common === 0 ? 0 : (2 * common) / (given.length + wanted.length);
}
