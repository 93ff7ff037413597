import { isAbsolute } from 'node:path';
import { z } from 'zod';
import { secretVariables } from '../secrets.js';

/** The section `user_tools` of the operator's file. */
const userTools = z.strictObject({
  directory: z
    .string()
    .refine(isAbsolute, 'must be an absolute path')
    .meta({ title: 'absolute path', description: 'Every module in this directory is a tool.' }),
  env: secretVariables,
  processes: z
    .int()
    .min(1)
    .max(64)
    .default(4)
    .describe(
      'Processes that calls are shared out among. Each runs many calls at once; another is started when all have some to do.',
    ),
  memory_mb: z
    .int()
    .min(64)
    .max(1_048_576)
    .default(1024)
    .describe('MiB of the heap of one process. All of its resident memory may have 128 MiB more.'),
});

export const userToolsSection = userTools.optional().describe('Tools of your own (docs/tools.md#your-own-tool).');

export type UserToolsSection = z.infer<typeof userTools>;
