/** Four significant digits, without an exponent where that is readable. */
export function formatNumber(value: number): string {
  const magnitude = Math.abs(value);
  if (magnitude !== 0 && (magnitude < 1e-3 || magnitude >= 1e6)) return value.toExponential(2);
  return String(Number(value.toPrecision(4)));
}

/** A share of 1 with three decimals. */
export function formatFraction(value: unknown): string {
  return typeof value === 'number' ? value.toFixed(3) : '?';
}

/** `calculator 62 %, lookup 38 %`, largest first. */
export function formatShares(shares: Record<string, unknown>): string | undefined {
  const counts = Object.entries(shares).map(([name, value]) => [name, Number(value)] as const);
  const total = counts.reduce((sum, [, value]) => sum + value, 0);
  if (!(total > 0)) return undefined;
  return counts
    .toSorted(([, a], [, b]) => b - a)
    .map(([name, value]) => `${name} ${Math.round((100 * value) / total)} %`)
    .join(', ');
}

export function formatBytes(bytes: number): string {
  const units = ['B', 'KiB', 'MiB', 'GiB', 'TiB'];
  const power = bytes < 1 ? 0 : Math.min(units.length - 1, Math.floor(Math.log2(bytes) / 10));
  return `${formatNumber(bytes / 1024 ** power)} ${units[power]}`;
}

/** A text of any length as a part of a line. */
export function oneLine(text: string, longest = 200): string {
  const words = text.replace(/\s+/g, ' ').trim();
  return words.length > longest ? `${words.slice(0, longest - 1)}…` : words;
}

/** Enough of a digest to recognise it. */
export function shortSha256(sha256: unknown): string {
  return typeof sha256 === 'string' ? sha256.slice(0, 12) : '-';
}

/** Columns padded to their widest cell. */
export function formatTable(header: readonly string[], rows: readonly (readonly string[])[]): string[] {
  const lines = [header, ...rows];
  const widths = header.map((_, column) => Math.max(...lines.map((line) => line[column]?.length ?? 0)));
  return lines.map((line) =>
    line
      .map((cell, column) => cell.padEnd(widths[column] ?? 0))
      .join('  ')
      .trimEnd(),
  );
}
