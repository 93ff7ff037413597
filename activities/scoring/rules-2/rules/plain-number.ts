import { plainCharacters } from '../reading/plain-characters.js';

export interface PlainNumber {
  /** Without separators and superfluous zeros: equal exactly where the values are. */
  value: string;
  /** Without separators only: `007` and `3.10` stay what they are. */
  written: string;
  /** Its currency or percent sign. */
  unit: string;
}

/** A text that is nothing but a number, with separators, a currency sign or a percent sign; undefined for any other. */
export function plainNumber(text: string): PlainNumber | undefined {
  const match = /^([+-]?)([$€£¥]?)\s*([+-]?)(\d{1,3}(?:,\d{3})+|\d+|(?=\.\d))(?:\.(\d+))?\s*(%?)\.?$/.exec(
    plainCharacters(text).trim(),
  );
  if (!match || (match[1] && match[3])) return undefined;
  const whole = match[4].replaceAll(',', '').replace(/^0+(?=\d)/, '') || '0';
  const decimals = (match[5] ?? '').replace(/0+$/, '');
  const digits = decimals === '' ? whole : `${whole}.${decimals}`;
  const isNegative = match[1] + match[3] === '-' && digits !== '0';
  const sign = isNegative ? '-' : '';
  const written = `${match[1]}${match[3]}${match[4].replaceAll(',', '')}.${match[5] ?? ''}`;
  return { value: sign + digits, written, unit: match[2] + match[6] };
}
