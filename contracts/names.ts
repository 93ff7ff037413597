import { z } from 'zod';

/** A policy of a run, `<run>@<step>`: resolved to its sha256 once, when the run begins (I11). */
export const policyName = z
  .string()
  .regex(/^[A-Za-z0-9][A-Za-z0-9._-]{0,127}@(0|[1-9]\d{0,8})$/, 'must be the name of a policy: <training run>@<step>')
  .meta({ title: '`<run>@<step>`' });

export const runId = z
  .string()
  .regex(/^[A-Za-z0-9][A-Za-z0-9._-]{0,127}$/, 'must be the id of a training run: letters, digits, ".", "_" and "-"')
  .meta({ title: 'id of a training run' });
