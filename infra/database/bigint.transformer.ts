import type { ValueTransformer } from 'typeorm';

/** PostgreSQL's bigint arrives as a string; our counters and byte counts stay far below 2^53. */
export const bigintTransformer: ValueTransformer = {
  to: (value: number | null | undefined) => value,
  from: (value: string | null) => (value === null ? null : Number(value)),
};
