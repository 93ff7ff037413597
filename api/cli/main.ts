#!/usr/bin/env node
import { EnvironmentError } from '../../infra/config/environment.js';
import { CliError } from './cli-error.js';
import { createContext } from './context.js';
import { createProgram } from './program.js';

try {
  await createProgram(createContext()).parseAsync();
} catch (error) {
  const known = error instanceof CliError || error instanceof EnvironmentError;
  process.stderr.write(`agentflow: ${known ? error.message : String((error as Error).stack)}\n`);
  process.exitCode = error instanceof CliError ? error.exitCode : 1;
}
