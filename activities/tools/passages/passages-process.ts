import { startPython, type PythonProcess } from '../../../infra/local/start-python.js';

/** Starts `python -m flow_grpo.passages` on a directory, its input, output and errors as pipes. */
export function startPassagesProcess(command: 'build' | 'add-vectors' | 'search', directory: string): PythonProcess {
  // What it is sent a language model wrote: it gets none of the worker's keys.
  return startPython('flow_grpo.passages', [command, directory], { PATH: process.env['PATH'] });
}
