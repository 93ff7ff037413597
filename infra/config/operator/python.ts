import { z } from 'zod';

/** The sandbox that runs the planner's Python programs, one per agent worker. */
export const pythonSection = z
  .strictObject({
    /** Interpreters, warm ones included: so many programs run at once. Each takes some 300 MB besides `memory_mb`. */
    interpreters: z.int().min(1).max(64).default(2),
    /** What one program may allocate. */
    memory_mb: z.int().min(128).max(3072).default(512),
    /** Seconds of processor time that one program may use. */
    time_s: z.number().min(1).max(600).default(10),
  })
  .prefault({});

export type PythonLimits = z.infer<typeof pythonSection>;
