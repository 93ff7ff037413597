import { EnvironmentError } from '../infra/config/environment.js';
import { OperatorFileError } from '../infra/config/operator-file.js';
import { LocalStackError } from '../infra/local/local-stack-error.js';
import { CliError } from './cli-error.js';
import { createContext } from './context.js';
import { createProgram } from './program.js';

/** What says in its message what is wrong and what to do. Anything else is a defect, and shown with its place. */
const TOLD = [CliError, EnvironmentError, OperatorFileError, LocalStackError];

// `agentflow runs list | head -1`: the reader has what it wants.
process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  if (error.code !== 'EPIPE') throw error;
  process.exit();
});

try {
  await createProgram(createContext()).parseAsync();
} catch (error) {
  const known = TOLD.some((kind) => error instanceof kind);
  const { message, stack } = error as Error;
  process.stderr.write(`agentflow: ${known ? message : stack}\n`);
  process.exitCode = error instanceof CliError ? error.exitCode : 1;
}
