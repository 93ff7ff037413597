import type { Client } from '@temporalio/client';
import { loadClientConnectConfig } from '@temporalio/envconfig';
import { PROJECT_ROOT } from '../config/project-root.js';
import { STACK_VARIABLE } from '../processes/bound-child.js';
import { temporalBinary } from './installed.js';
import { databaseUrl, ensureCluster } from './postgres/cluster.js';
import { preparePostgresHome, type PostgresHome } from './postgres/home.js';
import { postgresProcess } from './processes/postgres.process.js';
import { temporalProcess } from './processes/temporal.process.js';
import {
  agentWorkerProcess,
  apiProcess,
  policyServerProcess,
  temporalUiProcess,
  trainerProcess,
} from './processes/workers.process.js';
import { findHiddenAddress } from './ports.js';
import { temporalEnvironment } from './stack-environment.js';
import { stackPaths, type ProcessName, type ServiceName, type StackOptions, type StackPorts } from './stack-options.js';
import type { StackUrls } from './stack-record.js';
import type { ProcessDefinition } from './supervised-process.js';

/** Turns the stack's options into definitions of its processes. */
export class ProcessFactory {
  private constructor(
    private readonly options: StackOptions,
    private readonly ports: StackPorts,
    readonly urls: StackUrls,
    /** Undefined where an existing database is used. */
    readonly postgresHome: PostgresHome | undefined,
    /** Where the Temporal UI itself listens, behind its proxy. */
    private readonly hiddenUi: { host: string; port: number },
  ) {}

  /** Makes the database cluster too, because the database's password is part of its URL. */
  static async create(
    options: StackOptions,
    ports: StackPorts,
    notice: (message: string) => void,
  ): Promise<ProcessFactory> {
    const home = options.databaseUrl ? undefined : preparePostgresHome(options.dataDirectory, notice);
    if (home) await ensureCluster(home, notice);
    const database = home ? databaseUrl(home, ports.postgres) : options.databaseUrl!;
    return new ProcessFactory(options, ports, stackUrls(options, ports, database), home, await findHiddenAddress());
  }

  /** PostgreSQL and Temporal, where they are ours. */
  servers(): ProcessDefinition[] {
    const env = temporalEnvironment(this.options, this.ports);
    const servers: ProcessDefinition[] = [];
    if (this.postgresHome) servers.push(this.#postgres(this.postgresHome, env));
    if (!this.options.existingTemporal) servers.push(this.#temporal(env), this.#temporalUi(env));
    return servers;
  }

  /** The processes of this project, which need the servers. */
  services(client: Client, env: Record<string, string>): ProcessDefinition[] {
    const options = (name: ProcessName) => ({ env: this.#extend(env, name), logFile: this.#log(name) });
    const services: Record<ServiceName, () => ProcessDefinition> = {
      'policy-server': () => policyServerProcess(this.urls.policyServer, options('policy-server')),
      trainer: () => trainerProcess(client, options('trainer')),
      'agent-worker': () => agentWorkerProcess(client, options('agent-worker')),
      api: () => apiProcess(this.urls.api, options('api')),
    };
    return this.options.services.map((name) => services[name]());
  }

  #postgres(home: PostgresHome, env: Record<string, string>): ProcessDefinition {
    return postgresProcess(home, this.ports.postgres, this.#extend(env, 'postgres'), this.#log('postgres'));
  }

  #temporal(env: Record<string, string>): ProcessDefinition {
    return temporalProcess({
      binary: temporalBinary(this.options),
      port: this.ports.temporal,
      ui: this.hiddenUi,
      database: stackPaths(this.options.dataDirectory).temporalDatabase,
      env: this.#extend(env, 'temporal'),
      cwd: PROJECT_ROOT,
      logFile: this.#log('temporal'),
    });
  }

  #temporalUi(env: Record<string, string>): ProcessDefinition {
    const { host, port } = this.hiddenUi;
    const options = { env: this.#extend(env, 'temporal-ui'), logFile: this.#log('temporal-ui') };
    return temporalUiProcess(this.ports.temporalUi, `http://${host}:${port}`, options);
  }

  #extend(env: Record<string, string>, name: ProcessName): Record<string, string> {
    return { ...env, ...this.options.env[name], [STACK_VARIABLE]: this.options.dataDirectory };
  }

  #log(name: ProcessName): string {
    return stackPaths(this.options.dataDirectory).log(name);
  }
}

function stackUrls(options: StackOptions, ports: StackPorts, database: string): StackUrls {
  const api = `http://127.0.0.1:${ports.api}`;
  const { address = '127.0.0.1:7233' } = loadClientConnectConfig({
    overrideEnvVars: temporalEnvironment(options, ports),
  }).connectionOptions;
  return {
    api,
    docs: `${api}/docs`,
    temporal: address,
    temporalUi: options.existingTemporal ? undefined : `http://127.0.0.1:${ports.temporalUi}`,
    database,
    policyServer: options.policyServerUrl ?? `http://127.0.0.1:${ports.policyServer}`,
  };
}
