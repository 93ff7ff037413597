import { setTimeout as sleep } from 'node:timers/promises';
import { Client, Connection } from '@temporalio/client';
import { loadClientConnectConfig } from '@temporalio/envconfig';
import { NativeConnection } from '@temporalio/worker';
import { rememberSecret } from '../config/secrets.js';

const RETRY_INTERVAL_MS = 500;

/** A client whose connection also offers the operator service. */
export type ConnectedClient = Client & { readonly connection: Connection };

export interface ConnectOptions {
  /** How long to keep trying to reach the server. */
  patienceMs?: number;
  /** Called once per failed attempt. */
  onRetry?: (error: Error) => void;
  /** Read instead of this process's environment. */
  env?: Record<string, string>;
}

/** No Temporal server answered in time. The message names its address. */
class TemporalUnreachable extends Error {
  override readonly name = 'TemporalUnreachable';
}

/** Connects a client with the settings of the environment (TEMPORAL_ADDRESS and friends, or a profile file). */
export async function connectClient(options: ConnectOptions = {}): Promise<ConnectedClient> {
  const { connectionOptions, namespace } = readSettings(options);
  const connection = await retry(connectionOptions.address, () => Connection.connect(connectionOptions), options);
  return new Client({ connection, namespace }) as ConnectedClient;
}

/** A worker's connection with the settings of the environment, and the namespace to poll. */
export async function connectWorker(
  options: ConnectOptions = {},
): Promise<{ connection: NativeConnection; namespace: string }> {
  const { connectionOptions, namespace = 'default' } = readSettings(options);
  const connection = await retry(connectionOptions.address, () => NativeConnection.connect(connectionOptions), options);
  return { connection, namespace };
}

function readSettings({ env }: ConnectOptions): ReturnType<typeof loadClientConnectConfig> {
  const settings = loadClientConnectConfig({ overrideEnvVars: env });
  const { apiKey } = settings.connectionOptions;
  rememberSecret(typeof apiKey === 'string' ? apiKey : undefined);
  return settings;
}

/** A server that starts beside this process refuses connections at first: tries until it answers (Temporal does not). */
async function retry<T>(address = 'localhost:7233', connect: () => Promise<T>, options: ConnectOptions): Promise<T> {
  const deadline = Date.now() + (options.patienceMs ?? 60_000);
  for (;;) {
    try {
      return await connect();
    } catch (error) {
      if (Date.now() + RETRY_INTERVAL_MS > deadline) {
        throw new TemporalUnreachable(`No Temporal server answers at ${address}: ${(error as Error).message}`, {
          cause: error,
        });
      }
      options.onRetry?.(error as Error);
      await sleep(RETRY_INTERVAL_MS);
    }
  }
}
