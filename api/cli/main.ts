#!/usr/bin/env node
import { CliError } from './cli-error.js';
import { createContext } from './context.js';
import { createProgram } from './program.js';

try {
  await createProgram(createContext()).parseAsync();
} catch (error) {
  const known = error instanceof CliError;
  process.stderr.write(`agentflow: ${known ? error.message : String((error as Error).stack)}\n`);
  process.exitCode = known ? error.exitCode : 1;
}
