import { ApiClient } from '../client/api-client.js';
import type { CliContext } from '../context.js';
import { createProgram } from '../program.js';
import type { PythonCall } from '../python/run-python.js';
import type { LocalApi } from '../../infra/database/api-keys.js';

export interface CliOutcome {
  /** Standard output, by lines. */
  lines: string[];
  notes: string[];
  /** Python modules that were to be run: nothing runs here. */
  pythonCalls: PythonCall[];
  /** What those that are asked were given to read. */
  pythonInputs: unknown[];
  exitCode: number;
}

/** Of every Python module that a command runs in a test. */
export const PYTHON_EXIT_CODE = 3;
/** What a Python module that a command asks in a test answers: that of the memory's estimate where it does not fit. */
const PYTHON_ANSWER = { table: 'total  9 GiB  DOES NOT FIT\nNote: a.\n', json: '{"total":9}\n', code: 1 };

/** Runs the CLI in this process against an API. */
export async function runCli(api: LocalApi, ...args: string[]): Promise<CliOutcome> {
  return runCliWithAnswer(undefined, api, ...args);
}

/** Likewise, with somebody at the terminal who answers what is asked. */
export async function runCliWithAnswer(
  answer: string | undefined,
  api: LocalApi,
  ...args: string[]
): Promise<CliOutcome> {
  const outcome: CliOutcome = { lines: [], notes: [], pythonCalls: [], pythonInputs: [], exitCode: 0 };
  const context: CliContext = {
    client: async () => new ApiClient(api),
    storage: () => ({ DATABASE_URL: 'the stack’s' }),
    python: async (call) => {
      outcome.pythonCalls.push(call);
      return PYTHON_EXIT_CODE;
    },
    askPython: async (call, input) => {
      outcome.pythonCalls.push(call);
      outcome.pythonInputs.push(JSON.parse(input));
      const { table, json, code } = PYTHON_ANSWER;
      return { code, output: call.args.includes('--json') ? json : table };
    },
    print: (line) => outcome.lines.push(line),
    note: (line) => outcome.notes.push(line),
    ask: async () => answer,
    setExitCode: (code) => {
      outcome.exitCode = code;
    },
  };
  await createProgram(context).parseAsync(args, { from: 'user' });
  return outcome;
}
