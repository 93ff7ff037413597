import { Client, Connection } from '@temporalio/client';
import { loadClientConnectConfig } from '@temporalio/envconfig';

export interface TemporalClient {
  client: Client;
  connection: Connection;
}

/**
 * A client with the settings of the environment (TEMPORAL_ADDRESS and friends) that connects at its first call: the API
 * starts, and says through /health what is missing, also without a Temporal server.
 */
export function createTemporalClient(): TemporalClient {
  const { connectionOptions, namespace } = loadClientConnectConfig();
  const connection = Connection.lazy(connectionOptions);
  return { connection, client: new Client({ connection, namespace }) };
}
