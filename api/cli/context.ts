import { ApiClient } from './client/api-client.js';
import { locateApi } from './client/locate-api.js';

/** What a command works with; tests give their own. */
export interface CliContext {
  /** Made at the first use: `--help` needs no API. */
  client: () => Promise<ApiClient>;
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
    print: (line) => void process.stdout.write(`${line}\n`),
    note: (line) => void process.stderr.write(`${line}\n`),
    setExitCode: (code) => {
      process.exitCode = code;
    },
  };
}
