import { findRunningStack } from '../../infra/local/running-stack.js';
import { storageEnvironment } from '../../infra/local/stack-environment.js';
import { stackOptionsFromEnvironment } from '../../infra/local/stack-options.js';
import { CliError } from '../cli-error.js';

/**
 * Where rows, artifacts and base models are: DATABASE_URL, AGENTFLOW_ARTIFACTS and AGENTFLOW_MODELS_CACHE, each where it
 * is set, else those of the local stack.
 * @throws CliError where the database is the local stack's and that is not up
 */
export function locateStorage(env: NodeJS.ProcessEnv = process.env): Record<string, string> {
  const options = stackOptionsFromEnvironment(env);
  const database = options.databaseUrl ?? findRunningStack(options.dataDirectory)?.urls.database;
  if (!database) {
    throw new CliError(
      `The local stack of ${options.dataDirectory} is not up, and the database is part of it. Start it with ` +
        '"npm run up", or set DATABASE_URL and AGENTFLOW_ARTIFACTS.',
    );
  }
  const located = Object.entries(storageEnvironment(options, database));
  return Object.fromEntries(located.map(([name, value]) => [name, env[name] || value]));
}
