import pg from 'pg';
import { findFreePort } from '../ports.js';
import { postgresProcess } from '../processes/postgres.process.js';
import { stackPaths } from '../stack-options.js';
import { SupervisedProcess, UNOBSERVED } from '../supervised-process.js';
import { databaseUrl } from './cluster.js';
import { preparePostgresHome } from './home.js';

/** How many of each there are. */
export interface RunCounts {
  trainingRuns: number;
  agentFlows: number;
  evaluations: number;
}

const COUNTS = `SELECT (SELECT count(*) FROM training_runs)::int AS "trainingRuns",
  (SELECT count(*) FROM agent_flows)::int AS "agentFlows",
  (SELECT count(*) FROM benchmark_evaluations)::int AS "evaluations"`;

/**
 * Asks the database of a stack that does not run: its server is started for that, and stopped. The caller holds the
 * directory's supervision.
 * @returns the counts, or why there are none
 */
export async function countRuns(dataDirectory: string): Promise<RunCounts | { unknown: string }> {
  try {
    const home = preparePostgresHome(dataDirectory, () => undefined);
    if (!home.cluster) return { unknown: 'no start has finished making it' };
    const port = await findFreePort();
    const env = { PATH: process.env['PATH'] };
    const server = new SupervisedProcess(
      postgresProcess(home, port, env, stackPaths(dataDirectory).log('postgres')),
      UNOBSERVED,
    );
    try {
      await server.start();
      return await ask(databaseUrl(home, port));
    } finally {
      await server.stop();
    }
  } catch (error) {
    return { unknown: (error as Error).message };
  }
}

async function ask(connectionString: string): Promise<RunCounts> {
  const client = new pg.Client({ connectionString });
  await client.connect();
  try {
    return (await client.query<RunCounts>(COUNTS)).rows[0];
  } finally {
    await client.end();
  }
}
