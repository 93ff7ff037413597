import { lstatSync, realpathSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { z } from 'zod';
import { readEnvironment } from '../config/environment.js';
import { LocalStackError } from './local-stack-error.js';

/** The processes of this project. PostgreSQL and Temporal are started before them, unless existing ones are used. */
const SERVICE_NAMES = ['policy-server', 'trainer', 'agent-worker', 'api'] as const;
export type ServiceName = (typeof SERVICE_NAMES)[number];
export type ProcessName = 'postgres' | 'temporal' | 'temporal-ui' | ServiceName;

/** 0 picks a free port. */
export interface StackPorts {
  postgres: number;
  temporal: number;
  temporalUi: number;
  policyServer: number;
  api: number;
}

export interface StackOptions {
  /** Absolute, without links: the same directory always has the same name. */
  dataDirectory: string;
  /** What set-up downloaded and built. Absolute. */
  cacheDirectory: string;
  ports: StackPorts;
  /** An existing PostgreSQL instead of ours. */
  databaseUrl?: string;
  /** The existing Temporal cluster that the environment names, instead of a dev server. */
  existingTemporal: boolean;
  /** An existing policy server instead of the embedded one. */
  policyServerUrl?: string;
  /** Which of the project's own processes to start. */
  services: readonly ServiceName[];
  /** More environment variables, by process. */
  env: Partial<Record<ProcessName, Record<string, string>>>;
  /** After how much silence any process is restarted, instead of the bound of its definition. */
  silenceMs?: number;
}

/** What each port is for, the environment variable that sets it, and its default. */
export const PORT_SETTINGS: Record<keyof StackPorts, { purpose: string; variable: string; port: number }> = {
  postgres: { purpose: 'PostgreSQL', variable: 'AGENTFLOW_POSTGRES_PORT', port: 8432 },
  temporal: { purpose: 'the Temporal server', variable: 'AGENTFLOW_TEMPORAL_PORT', port: 7233 },
  temporalUi: { purpose: 'the Temporal UI', variable: 'AGENTFLOW_TEMPORAL_UI_PORT', port: 8233 },
  policyServer: { purpose: 'the policy server', variable: 'AGENTFLOW_POLICY_SERVER_PORT', port: 8460 },
  api: { purpose: 'the API', variable: 'AGENTFLOW_API_PORT', port: 8400 },
};

const portNumber = z.coerce.number().int().min(0).max(65_535);

/** A port of the environment is no port. */
export class BadPort extends LocalStackError {
  override readonly name = 'BadPort';
}

/** The options that the environment asks for: everything on, default ports. @throws BadPort, EnvironmentError */
export function stackOptionsFromEnvironment(env: NodeJS.ProcessEnv = process.env): StackOptions {
  const { AGENTFLOW_DATA, AGENTFLOW_CACHE } = readEnvironment(['AGENTFLOW_DATA', 'AGENTFLOW_CACHE'], env);
  const policyServerUrl = env['AGENTFLOW_POLICY_SERVER_URL']
    ? readEnvironment(['AGENTFLOW_POLICY_SERVER_URL'], env).AGENTFLOW_POLICY_SERVER_URL
    : undefined;
  return {
    dataDirectory: canonicalDirectory(AGENTFLOW_DATA),
    cacheDirectory: AGENTFLOW_CACHE,
    ports: portsFromEnvironment(env),
    databaseUrl: env['DATABASE_URL'] ? readEnvironment(['DATABASE_URL'], env).DATABASE_URL : undefined,
    existingTemporal: Boolean(env['TEMPORAL_ADDRESS'] || env['TEMPORAL_PROFILE']),
    policyServerUrl,
    services: SERVICE_NAMES.filter((name) => name !== 'policy-server' || policyServerUrl === undefined),
    env: {},
  };
}

function portsFromEnvironment(env: NodeJS.ProcessEnv): StackPorts {
  const entries = Object.entries(PORT_SETTINGS).map(([name, { variable, port }]): [string, number] => {
    const parsed = portNumber.safeParse(env[variable] || port);
    if (!parsed.success) throw new BadPort(`${variable} must be a port, 0 to 65535 (0 picks a free one).`);
    return [name, parsed.data];
  });
  return Object.fromEntries(entries) as Record<keyof StackPorts, number>;
}

/** The path without links. What is not there yet keeps its name. */
function canonicalDirectory(path: string): string {
  try {
    return realpathSync(path);
  } catch (error) {
    const absent = (error as NodeJS.ErrnoException).code === 'ENOENT' && !lstatSync(path, { throwIfNoEntry: false });
    return absent && dirname(path) !== path ? join(canonicalDirectory(dirname(path)), basename(path)) : path;
  }
}

/** Paths inside the data directory. */
export function stackPaths(dataDirectory: string) {
  return {
    record: join(dataDirectory, 'stack.json'),
    api: join(dataDirectory, 'api.json'),
    artifacts: join(dataDirectory, 'artifacts'),
    logs: join(dataDirectory, 'logs'),
    postgres: join(dataDirectory, 'postgres'),
    /** Names the directory that is used instead of `postgres`. */
    postgresLocation: join(dataDirectory, 'postgres-location'),
    /** The system identifier of the cluster that belongs to this directory. */
    postgresIdentity: join(dataDirectory, 'postgres-identity'),
    temporalDatabase: join(dataDirectory, 'temporal.db'),
    temporalConfig: join(dataDirectory, 'temporal.toml'),
    requestLog: join(dataDirectory, 'logs/requests.jsonl'),
    log: (process: string) => join(dataDirectory, 'logs', `${process}.log`),
  };
}
