import { ApiClient } from '../cli/client/api-client.js';
import type { CliContext } from '../cli/context.js';
import { createProgram } from '../cli/program.js';
import type { LocalApi } from '../../infra/database/api-keys.js';

export interface CliOutcome {
  /** Standard output, by lines. */
  lines: string[];
  notes: string[];
  /** Python modules that were to be run: nothing runs here. */
  pythonCalls: unknown[][];
  exitCode: number;
}

/** Of every Python module that a command runs in a test. */
export const PYTHON_EXIT_CODE = 3;

/** Runs the CLI in this process against an API. */
export async function runCli(api: LocalApi, ...args: string[]): Promise<CliOutcome> {
  const outcome: CliOutcome = { lines: [], notes: [], pythonCalls: [], exitCode: 0 };
  const context: CliContext = {
    client: async () => new ApiClient(api),
    storage: () => ({ DATABASE_URL: 'the stack’s' }),
    python: async (...call) => {
      outcome.pythonCalls.push(call);
      return PYTHON_EXIT_CODE;
    },
    print: (line) => outcome.lines.push(line),
    note: (line) => outcome.notes.push(line),
    setExitCode: (code) => {
      outcome.exitCode = code;
    },
  };
  await createProgram(context).parseAsync(args, { from: 'user' });
  return outcome;
}
