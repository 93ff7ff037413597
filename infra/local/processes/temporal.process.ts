import { Connection } from '@temporalio/client';
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
];
/** A workflow's progress survives a crash of the machine, not only of the process. */
const PRAGMAS = ['journal_mode=WAL', 'synchronous=FULL'];

export interface TemporalServerOptions {
  binary: string;
  port: number;
  uiPort: number;
  /** SQLite file. */
  database: string;
  env: NodeJS.ProcessEnv;
  cwd: string;
  logFile: string;
}

/** Temporal's development server with its UI, on 127.0.0.1 only, with its state in a file. */
export function temporalProcess(options: TemporalServerOptions): ProcessDefinition {
  const address = `127.0.0.1:${options.port}`;
  return {
    name: 'temporal',
    command: options.binary,
    args: [
      ...['server', 'start-dev', '--ip', '127.0.0.1', '--ui-ip', '127.0.0.1'],
      ...['--port', String(options.port), '--ui-port', String(options.uiPort)],
      ...['--db-filename', options.database, '--log-level', 'warn'],
      ...PRAGMAS.flatMap((pragma) => ['--sqlite-pragma', pragma]),
      ...DYNAMIC_CONFIG.flatMap((value) => ['--dynamic-config-value', value]),
      ...SEARCH_ATTRIBUTE_OPTIONS.flatMap((option) => ['--search-attribute', option]),
    ],
    env: options.env,
    cwd: options.cwd,
    stopSignal: 'SIGTERM',
    logFile: options.logFile,
    check: () => checkNamespace(address),
    patienceMs: 60_000,
  };
}

/** The namespace appears last in the server's start. */
async function checkNamespace(address: string): Promise<void> {
  const connection = await Connection.connect({ address, connectTimeout: '2s' });
  try {
    await connection.workflowService.describeNamespace({ namespace: 'default' });
  } finally {
    await connection.close();
  }
}
