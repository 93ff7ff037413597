import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { stackPaths, type StackOptions, type StackPorts } from './stack-options.js';
import type { StackUrls } from './stack-record.js';

/** How the processes, and this one, reach Temporal: read by @temporalio/envconfig and its Python twin. */
export function temporalEnvironment(
  options: StackOptions,
  ports: StackPorts,
  env: NodeJS.ProcessEnv = process.env,
): Record<string, string> {
  const inherited = definedVariables(env);
  if (options.existingTemporal) return inherited;
  const ours = Object.entries(inherited).filter(([name]) => !name.startsWith('TEMPORAL_'));
  return {
    ...Object.fromEntries(ours),
    TEMPORAL_ADDRESS: `127.0.0.1:${ports.temporal}`,
    TEMPORAL_NAMESPACE: 'default',
    // An empty profile: one in the user's home (TLS, API key) is for another server.
    TEMPORAL_CONFIG_FILE: stackPaths(options.dataDirectory).temporalConfig,
  };
}

/** Where rows, artifacts and base models are: also for programs that look at them from outside the stack. */
export function storageEnvironment(
  { dataDirectory, cacheDirectory }: Pick<StackOptions, 'dataDirectory' | 'cacheDirectory'>,
  database: string,
) {
  return {
    DATABASE_URL: database,
    AGENTFLOW_ARTIFACTS: pathToFileURL(stackPaths(dataDirectory).artifacts).href,
    AGENTFLOW_MODELS_CACHE: join(cacheDirectory, 'models'),
  };
}

/** The environment of every process of the stack. */
export function stackEnvironment(options: StackOptions, ports: StackPorts, urls: StackUrls): Record<string, string> {
  return {
    ...temporalEnvironment(options, ports),
    ...storageEnvironment(options, urls.database),
    AGENTFLOW_POLICY_SERVER_URL: urls.policyServer,
    AGENTFLOW_POLICY_SERVER_PORT: String(ports.policyServer),
    AGENTFLOW_REQUEST_LOG: stackPaths(options.dataDirectory).requestLog,
    AGENTFLOW_API_PORT: String(ports.api),
    AGENTFLOW_DATA: options.dataDirectory,
  };
}

function definedVariables(env: NodeJS.ProcessEnv): Record<string, string> {
  return Object.fromEntries(Object.entries(env).filter((entry): entry is [string, string] => entry[1] !== undefined));
}
