/** A number for people: at most four digits that say something, `–` for none. */
export function number(value: number | null | undefined): string {
  if (value === null || value === undefined || Number.isNaN(value)) return '–';
  if (Number.isInteger(value)) return value.toLocaleString('en');
  const size = Math.abs(value);
  if (size !== 0 && (size < 1e-3 || size >= 1e6)) return value.toExponential(2);
  return value.toLocaleString('en', { maximumSignificantDigits: 4 });
}

/** A moment in the reader's own time. */
export function moment(iso: string | null | undefined): string {
  return iso ? new Date(iso).toLocaleString() : '–';
}
