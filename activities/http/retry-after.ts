/**
 * No server makes a call wait longer: it is asked again until patience is over, and a wait beyond that ends it at once.
 */
const MAX_MS = 60 * 1000;

/**
 * The wait that a response's headers ask for, in milliseconds: `retry-after` in seconds or as a date, else the first
 * number of `x-ratelimit-reset`, in seconds. Undefined without either, and where there is nothing to wait for: Temporal
 * takes a delay of zero for the end of all retries.
 * @param now milliseconds since the epoch
 * @param most of what is waited
 */
export function retryAfterMs(
  headers: Record<string, string | string[] | undefined>,
  now: number,
  most = MAX_MS,
): number | undefined {
  const wait = millisecondsOf(text(headers['retry-after']), now) ?? secondsOf(text(headers['x-ratelimit-reset']));
  return wait === undefined || wait <= 0 ? undefined : Math.min(wait, most);
}

function text(header: string | string[] | undefined): string {
  return (Array.isArray(header) ? header[0] : header)?.trim() ?? '';
}

function millisecondsOf(value: string, now: number): number | undefined {
  if (/^\d+(\.\d+)?$/.test(value)) return Number(value) * 1000;
  const date = Date.parse(value);
  return Number.isNaN(date) ? undefined : date - now;
}

function secondsOf(value: string): number | undefined {
  const first = /^\d+/.exec(value)?.[0];
  return first === undefined ? undefined : Number(first) * 1000;
}
