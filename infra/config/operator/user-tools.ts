import { isAbsolute } from 'node:path';
import { z } from 'zod';

/** The section `user_tools` of the operator's file: every module in this directory is a tool (docs/tools.md). */
export const userToolsSection = z
  .strictObject({ directory: z.string().refine(isAbsolute, 'must be an absolute path') })
  .optional();
