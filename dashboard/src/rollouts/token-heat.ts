/** What a sampled token can be coloured by. */
export type Measure = 'logprob' | 'advantage';

/** Nats: a token this unlikely, or less likely, has the full colour. */
const UNLIKELY = -5;
/** Of a group's normalised advantages few lie further out. */
const FAR = 2;

/** How strongly a token is coloured, 0 to 1: by how unlikely it was, or by how far its advantage is from 0. */
export function heatOf(measure: Measure, value: number | null): number {
  if (value === null || Number.isNaN(value)) return 0;
  const share = measure === 'logprob' ? value / UNLIKELY : Math.abs(value) / FAR;
  return Math.min(1, Math.max(0, share));
}

/** Where a key moves the focus to in a row of `count` tokens, from `from` (-1: none yet); undefined if it moves nothing. */
export function moved(key: string, from: number, count: number): number | undefined {
  const to = { ArrowRight: from + 1, ArrowLeft: from - 1, Home: 0, End: count - 1 }[key];
  return to === undefined || count === 0 ? undefined : Math.min(count - 1, Math.max(0, to));
}
