import { Connection, isGrpcServiceError } from '@temporalio/client';
import { DEV_SERVER_CONFIG } from '../../temporal/dev-server-config.js';
import { SEARCH_ATTRIBUTE_OPTIONS } from '../../temporal/search-attributes.js';
import type { ProcessDefinition } from '../supervised-process.js';

/** With what the workflows and the worker list of the UI need switched on in this server version. */
const DYNAMIC_CONFIG = [
  ...DEV_SERVER_CONFIG,
  'matching.useNewMatcher=true',
  'matching.enableFairness=true',
  'frontend.WorkerHeartbeatsEnabled=true',
  'frontend.ListWorkersEnabled=true',
  // The server's HTTP API has neither a Host check nor a key. Nobody uses it: the UI and the workers speak gRPC.
  'frontend.httpAllowedHosts=["nobody.invalid"]',
];
/** A workflow's progress survives a crash of the machine, not only of the process. */
const PRAGMAS = ['journal_mode=WAL', 'synchronous=FULL'];

const ANSWER_MS = 5_000;
/** Of gRPC: deadline exceeded, unavailable. */
const SILENT_STATUSES = new Set<number>([4, 14]);

export interface TemporalServerOptions {
  binary: string;
  port: number;
  /** Where the UI itself listens. It answers any Host: the way to it is temporalUiProcess. */
  ui: { host: string; port: number };
  /** SQLite file. */
  database: string;
  env: NodeJS.ProcessEnv;
  cwd: string;
  logFile: string;
}

/** Temporal's development server with its UI, on loopback addresses only, with its state in a file. */
export function temporalProcess(options: TemporalServerOptions): ProcessDefinition {
  const address = `127.0.0.1:${options.port}`;
  return {
    name: 'temporal',
    command: options.binary,
    args: [
      ...['server', 'start-dev', '--ip', '127.0.0.1', '--port', String(options.port)],
      ...['--ui-ip', options.ui.host, '--ui-port', String(options.ui.port)],
      ...['--db-filename', options.database, '--log-level', 'warn'],
      ...PRAGMAS.flatMap((pragma) => ['--sqlite-pragma', pragma]),
      ...DYNAMIC_CONFIG.flatMap((value) => ['--dynamic-config-value', value]),
      ...SEARCH_ATTRIBUTE_OPTIONS.flatMap((option) => ['--search-attribute', option]),
    ],
    env: options.env,
    cwd: options.cwd,
    stopSignal: 'SIGTERM',
    orphanSignal: 'SIGTERM',
    logFile: options.logFile,
    check: () => checkNamespace(address),
    patienceMs: 60_000,
    liveness: {
      ask: () => checkNamespace(address).catch(throwUnlessAnswer),
      silenceMs: 60_000,
      lost: 'workers and API connect again; every workflow goes on from its history',
    },
  };
}

/** The namespace appears last in the server's start. */
async function checkNamespace(address: string): Promise<void> {
  const connection = await Connection.connect({ address, connectTimeout: '2s' });
  try {
    const { workflowService } = connection;
    await connection.withDeadline(Date.now() + ANSWER_MS, () =>
      workflowService.describeNamespace({ namespace: 'default' }),
    );
  } finally {
    await connection.close();
  }
}

/** An error that the server sent is an answer; one that its absence made is none. */
function throwUnlessAnswer(error: unknown): void {
  if (!isGrpcServiceError(error) || SILENT_STATUSES.has(error.code)) throw error;
}
