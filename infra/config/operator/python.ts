import { z } from 'zod';

/** The sandbox that runs the planner's Python programs, one per agent worker. */
export const pythonSection = z
  .strictObject({
    interpreters: z
      .int()
      .min(1)
      .max(64)
      .default(2)
      .describe(
        'Interpreters that stand ready: so many programs run at once. Each takes some 300 MB besides `memory_mb`.',
      ),
    memory_mb: z.int().min(128).max(3072).default(512).describe('What one program may allocate.'),
    time_s: z.number().min(1).max(600).default(10).describe('Seconds of processor time of one program.'),
  })
  .prefault({})
  .describe('The sandbox of the tool `python_coder`, of each agent worker (docs/tools.md#python-coder).');

export type PythonLimits = z.infer<typeof pythonSection>;
