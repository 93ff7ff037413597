import { ApiClient } from './client/api-client.js';
import { locateApi } from './client/locate-api.js';
import { locateStorage } from './python/locate-storage.js';
import { runPython } from './python/run-python.js';

/** What a command works with; tests give their own. */
export interface CliContext {
  /** Made at the first use: `--help` needs no API. */
  client: () => Promise<ApiClient>;
  /** Where the stack's data is, as variables of the environment. @throws CliError where that is not known */
  storage: () => Record<string, string>;
  /** Runs a module of worker/gpu with these variables, its output passed through. @returns its exit code */
  python: (module: string, args: readonly string[], env: Record<string, string>) => Promise<number>;
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
    python: runPython,
    print: (line) => void process.stdout.write(`${line}\n`),
    note: (line) => void process.stderr.write(`${line}\n`),
    setExitCode: (code) => {
      process.exitCode = code;
    },
  };
}
