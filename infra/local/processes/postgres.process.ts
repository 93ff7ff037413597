import { join } from 'node:path';
import type { ProcessDefinition } from '../supervised-process.js';
import { askServer, checkServer, databaseUrl } from '../postgres/cluster.js';
import type { PostgresHome } from '../postgres/home.js';
import { pgdata } from '../postgres/location.js';
import { clearStaleServer } from '../postgres/stale-server.js';

/** The private PostgreSQL server, TCP on 127.0.0.1 only, with its default durability. Its cluster has to exist. */
export function postgresProcess(
  home: PostgresHome,
  port: number,
  env: NodeJS.ProcessEnv,
  logFile: string,
): ProcessDefinition {
  const settings = [`port=${port}`, 'listen_addresses=127.0.0.1', 'unix_socket_directories=', 'max_connections=200'];
  const url = databaseUrl(home, port, 'postgres');
  return {
    name: 'postgres',
    command: join(home.bin, 'postgres'),
    args: ['-D', pgdata(home), ...settings.flatMap((setting) => ['-c', setting])],
    env: { ...env, LC_ALL: 'C' },
    cwd: home.directory,
    user: home.user && { uid: home.user.uid, gid: home.user.gid },
    stopSignal: 'SIGINT', // "fast": ends open sessions, writes a checkpoint
    orphanSignal: 'SIGINT',
    logFile,
    prepare: () => clearStaleServer(pgdata(home)),
    check: () => checkServer(url),
    patienceMs: 120_000,
    liveness: {
      ask: () => askServer(url),
      silenceMs: 60_000,
      lost: 'open transactions are rolled back and tried again by their owners; what was committed is there',
    },
  };
}
