import { CommanderError } from 'commander';
import { EnvironmentError } from '../infra/config/environment.js';
import { OperatorFileError } from '../infra/config/operator-file.js';
import { LocalStackError } from '../infra/local/local-stack-error.js';
import { CliError } from './cli-error.js';
import { createContext } from './context.js';
import { createProgram } from './program.js';

/** What says in its message what is wrong and what to do. Anything else is a defect, and shown with its place. */
const TOLD = [CliError, EnvironmentError, OperatorFileError, LocalStackError];

for (const stream of [process.stdout, process.stderr]) {
  stream.on('error', ({ code, message }: NodeJS.ErrnoException) => {
    // `agentflow runs list | head -1`: the reader has what it wants.
    if (code === 'EPIPE') process.exit();
    if (stream === process.stdout) process.stderr.write(`agentflow: the output cannot be written: ${message}\n`);
    process.exit(1);
  });
}

try {
  await createProgram(createContext()).parseAsync();
} catch (error) {
  if (!(error instanceof CommanderError)) tell(error as Error); // it has shown its help, or what is wrong
  process.exitCode = error instanceof CliError || error instanceof CommanderError ? error.exitCode : 1;
}

function tell(error: Error): void {
  const known = TOLD.some((kind) => error instanceof kind);
  process.stderr.write(`agentflow: ${known ? error.message : error.stack}\n`);
}
