import { ApiClient } from './client/api-client.js';
import { locateApi } from './client/locate-api.js';
import { locateStorage } from './python/locate-storage.js';
import { askPython, runPython, type PythonCall } from './python/run-python.js';

/** What a command works with; tests give their own. */
export interface CliContext {
  /** Made at the first use: `--help` needs no API. */
  client: () => Promise<ApiClient>;
  /** Where the stack's data is, as variables of the environment. @throws CliError where that is not known */
  storage: () => Record<string, string>;
  /** Runs a module of worker/gpu, its output passed through. @returns its exit code */
  python: (call: PythonCall) => Promise<number>;
  /** Runs a module of worker/gpu on an input. @returns its exit code and its output */
  askPython: (call: PythonCall, input: string) => Promise<{ code: number; output: string }>;
  /** A line to standard output. */
  print: (line: string) => void;
  /** A line to standard error: what is not the result. */
  note: (line: string) => void;
  /** Sets the exit code of the process without ending it. */
  setExitCode: (code: number) => void;
}

export function createContext(): CliContext {
  let client: Promise<ApiClient> | undefined;
  return {
    client: () => (client ??= locateApi().then((api) => new ApiClient(api))),
    storage: locateStorage,
    python: (call) => runPython(call),
    askPython: (call, input) => askPython(call, input),
    print: (line) => void process.stdout.write(`${line}\n`),
    note: (line) => void process.stderr.write(`${line}\n`),
    setExitCode: (code) => {
      process.exitCode = code;
    },
  };
}
