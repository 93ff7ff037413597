import { DataSource } from 'typeorm';
import { ENTITIES } from './entities/index.js';
import { InitialSchema1795305600000 } from './migrations/1795305600000-initial-schema.js';
import { LanguageModelCalls1795392000000 } from './migrations/1795392000000-language-model-calls.js';
import { AgentFlows1795478400000 } from './migrations/1795478400000-agent-flows.js';
import { BenchmarkEvaluations1795564800000 } from './migrations/1795564800000-benchmark-evaluations.js';
import { PausedFlows1795651200000 } from './migrations/1795651200000-paused-flows.js';
import { UnfinishedFlows1795737600000 } from './migrations/1795737600000-unfinished-flows.js';

/** An advisory lock's key, the same in every process: the first one migrates, the others wait for it. */
const MIGRATION_LOCK = 4_126_530;
/** After so long without a word the system asks whether the server is still there: a query must not wait for a dead one. */
const KEEP_ALIVE_MS = 10_000;

/**
 * A data source that is not yet connected: call `initialize()`.
 * @param url `postgres://user:password@host:port/database`
 * @param poolSize connections at most
 */
export function createDataSource(url: string, poolSize = 10): DataSource {
  return new DataSource({
    type: 'postgres',
    url,
    poolSize,
    entities: ENTITIES,
    migrations: [
      InitialSchema1795305600000,
      LanguageModelCalls1795392000000,
      AgentFlows1795478400000,
      BenchmarkEvaluations1795564800000,
      PausedFlows1795651200000,
      UnfinishedFlows1795737600000,
    ],
    synchronize: false,
    installExtensions: false,
    applicationName: 'agentflow',
    connectTimeoutMS: 10_000,
    extra: { keepAlive: true, keepAliveInitialDelayMillis: KEEP_ALIVE_MS },
  });
}

/** Brings the database to the newest schema. Several processes may call it at once. */
export async function migrate(url: string): Promise<void> {
  const dataSource = await createDataSource(url, 2).initialize();
  try {
    const lock = dataSource.createQueryRunner();
    try {
      await lock.query('SELECT pg_advisory_lock($1)', [MIGRATION_LOCK]);
      await dataSource.runMigrations({ transaction: 'all' });
    } finally {
      await lock.query('SELECT pg_advisory_unlock($1)', [MIGRATION_LOCK]);
      await lock.release();
    }
  } finally {
    await dataSource.destroy();
  }
}
