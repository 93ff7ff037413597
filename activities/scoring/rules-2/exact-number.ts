/** 1 if the answer is exactly the number, however it is written, else 0. */
export function scoreExactNumber(answer: string, truth: number): 0 | 1 {
  return normalise(answer) === normalise(String(truth)) ? 1 : 0;
}

/** A plain decimal: no thousands separators, leading or trailing zeros, plus sign or trailing period. */
function normalise(text: string): string | undefined {
  const match = /^([+-]?)(\d{1,3}(?:,\d{3})+|\d+)(?:\.(\d*))?$/.exec(text.trim());
  if (!match) return undefined;
  const whole = match[2].replaceAll(',', '').replace(/^0+(?=\d)/, '');
  const decimals = (match[3] ?? '').replace(/0+$/, '');
  const digits = decimals === '' ? whole : `${whole}.${decimals}`;
  return match[1] === '-' && digits !== '0' ? `-${digits}` : digits;
}
