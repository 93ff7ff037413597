import { createInterface } from 'node:readline/promises';
import { ApiClient } from './client/api-client.js';
import { locateApi } from './client/locate-api.js';
import { styled, type Style } from './output/style.js';
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
  /** A line to standard output, in a style if that is a terminal. */
  print: (line: string, style?: Style) => void;
  /** A line to standard error: what is not the result. */
  note: (line: string) => void;
  /** What a person at the terminal answers; undefined where there is no terminal. */
  ask: (question: string) => Promise<string | undefined>;
  /** Sets the exit code of the process without ending it. */
  setExitCode: (code: number) => void;
}

export function createContext(): CliContext {
  let client: Promise<ApiClient> | undefined;
  /** The stack may be brought up while `agentflow mcp` runs. */
  const forget = (error: unknown): never => {
    client = undefined;
    throw error;
  };
  return {
    client: () =>
      (client ??= locateApi()
        .then((api) => new ApiClient(api))
        .catch(forget)),
    storage: locateStorage,
    python: (call) => runPython(call),
    askPython: (call, input) => askPython(call, input),
    print: (line, style) => void process.stdout.write(`${styled(harmless(line), style, process.stdout)}\n`),
    note: (line) => void process.stderr.write(`${harmless(line)}\n`),
    ask,
    setExitCode: (code) => {
      process.exitCode = code;
    },
  };
}

// Control characters but tab and line feed, and those that turn the direction of writing.
// eslint-disable-next-line no-control-regex
const STEERING = /[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]/g;

/** Names, questions and what models write may hold what steers a terminal. It is shown as JSON writes it: \u001b. */
export function harmless(text: string): string {
  return text.replace(STEERING, (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`);
}

async function ask(question: string): Promise<string | undefined> {
  if (!process.stdin.isTTY) return undefined;
  const terminal = createInterface({ input: process.stdin, output: process.stdout });
  try {
    return await terminal.question(question);
  } finally {
    terminal.close();
  }
}
