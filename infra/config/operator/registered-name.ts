import { z } from 'zod';

/** What the operator calls a thing that a submitted configuration may name. */
export const registeredName = z
  .string()
  .regex(
    /^[a-z0-9][a-z0-9._-]{0,63}$/,
    'must be at most 64 lower-case letters, digits, ".", "_", "-", the first a letter or digit',
  )
  .meta({ title: 'registered name' });
