import { ApiClient } from '../cli/client/api-client.js';
import type { CliContext } from '../cli/context.js';
import { createProgram } from '../cli/program.js';
import type { LocalApi } from '../../infra/database/api-keys.js';

export interface CliOutcome {
  /** Standard output, by lines. */
  lines: string[];
  notes: string[];
  exitCode: number;
}

/** Runs the CLI in this process against an API. */
export async function runCli(api: LocalApi, ...args: string[]): Promise<CliOutcome> {
  const outcome: CliOutcome = { lines: [], notes: [], exitCode: 0 };
  const context: CliContext = {
    client: async () => new ApiClient(api),
    print: (line) => outcome.lines.push(line),
    note: (line) => outcome.notes.push(line),
    setExitCode: (code) => {
      outcome.exitCode = code;
    },
  };
  await createProgram(context).parseAsync(args, { from: 'user' });
  return outcome;
}
