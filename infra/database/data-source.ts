import { DataSource, getMetadataArgsStorage, QueryFailedError } from 'typeorm';
import { boundedDriver, queryTimeoutMs } from './bounded-driver.js';
import { DATABASE_BOUNDS, type DatabaseRole } from './bounds.js';
import * as entities from './entities/index.js';
import { InitialSchema1795305600000 } from './migrations/1795305600000-initial-schema.js';
import { LanguageModelCalls1795392000000 } from './migrations/1795392000000-language-model-calls.js';
import { AgentFlows1795478400000 } from './migrations/1795478400000-agent-flows.js';
import { BenchmarkEvaluations1795564800000 } from './migrations/1795564800000-benchmark-evaluations.js';
import { PausedFlows1795651200000 } from './migrations/1795651200000-paused-flows.js';
import { UnfinishedFlows1795737600000 } from './migrations/1795737600000-unfinished-flows.js';
import { BoughtOnce1795824000000 } from './migrations/1795824000000-bought-once.js';
import { OrderAndLives1795831200000 } from './migrations/1795831200000-order-and-lives.js';
import { RepliesInUse1795910400000 } from './migrations/1795910400000-replies-in-use.js';
import { Removals1795946400000 } from './migrations/1795946400000-removals.js';
import { NothingAfterRemoval1795960800000 } from './migrations/1795960800000-nothing-after-removal.js';
import { FlowIdsByBytes1795964400000 } from './migrations/1795964400000-flow-ids-by-bytes.js';
import { UnusedImages1795968000000 } from './migrations/1795968000000-unused-images.js';
import { AnswersOfSteps1796054400000 } from './migrations/1796054400000-answers-of-steps.js';
import { OwnWorkflow1796061600000 } from './migrations/1796061600000-own-workflow.js';
import { ProjectsAndScopes1796140800000 } from './migrations/1796140800000-projects-and-scopes.js';
import { AuditLog1796140860000 } from './migrations/1796140860000-audit-log.js';
import { RequestsByBody1796144400000 } from './migrations/1796144400000-requests-by-body.js';
import { ToldEvents1796148000000 } from './migrations/1796148000000-told-events.js';
import { ProjectEvents1796148300000 } from './migrations/1796148300000-project-events.js';
import { RunFilters1796151600000 } from './migrations/1796151600000-run-filters.js';
import { Advantages1796155200000 } from './migrations/1796155200000-advantages.js';
import { RunQueue1796157000000 } from './migrations/1796157000000-run-queue.js';
import { Usage1796158800000 } from './migrations/1796158800000-usage.js';
import { ToolDescriptions1796160600000 } from './migrations/1796160600000-tool-descriptions.js';
import { PolicyPins1796162400000 } from './migrations/1796162400000-policy-pins.js';
import { Webhooks1796169600000 } from './migrations/1796169600000-webhooks.js';
import { Workers1796176800000 } from './migrations/1796176800000-workers.js';
import { UploadedDatasets1796180400000 } from './migrations/1796180400000-uploaded-datasets.js';
import { PolicyExports1796184000000 } from './migrations/1796184000000-policy-exports.js';
import { Sessions1796187600000 } from './migrations/1796187600000-sessions.js';
import { gateOf } from './well-formed.js';

const ENTITIES = Object.values(entities);

/** An advisory lock's key, the same in every process: the first one migrates, the others wait for it. */
const MIGRATION_LOCK = 4_126_530;
/** After this silence the system asks whether the server is still there: a query must not wait for a dead one. */
const KEEP_ALIVE_MS = 10_000;
/** The SQLSTATE of a statement that has waited for a lock as long as it may. */
const LOCK_NOT_AVAILABLE = '55P03';

/* One gate for every text and JSON value, declared here so that no column lacks it, not even an inherited one (I16). */
for (const { target, options } of getMetadataArgsStorage().columns) {
  const isOurs = ENTITIES.some((entity) => entity === target || entity.prototype instanceof (target as typeof entity));
  if (isOurs) options.transformer ??= gateOf(options.type);
}

/**
 * A data source that is not yet connected: call `initialize()`. No query and no wait for a connection or a lock is
 * longer than the bounds of the role.
 * @param url `postgres://user:password@host:port/database`
 * @param poolSize connections at most
 */
export function createDataSource(url: string, role: DatabaseRole, poolSize = 10): DataSource {
  const { connectMs, lockMs, statementMs, idleInTransactionMs } = DATABASE_BOUNDS[role];
  return new DataSource({
    type: 'postgres',
    driver: boundedDriver,
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
      BoughtOnce1795824000000,
      OrderAndLives1795831200000,
      RepliesInUse1795910400000,
      Removals1795946400000,
      NothingAfterRemoval1795960800000,
      FlowIdsByBytes1795964400000,
      UnusedImages1795968000000,
      AnswersOfSteps1796054400000,
      OwnWorkflow1796061600000,
      ProjectsAndScopes1796140800000,
      AuditLog1796140860000,
      RequestsByBody1796144400000,
      ToldEvents1796148000000,
      ProjectEvents1796148300000,
      RunFilters1796151600000,
      Advantages1796155200000,
      RunQueue1796157000000,
      Usage1796158800000,
      ToolDescriptions1796160600000,
      PolicyPins1796162400000,
      Webhooks1796169600000,
      Workers1796176800000,
      UploadedDatasets1796180400000,
      PolicyExports1796184000000,
      Sessions1796187600000,
    ],
    synchronize: false,
    installExtensions: false,
    applicationName: 'agentflow',
    connectTimeoutMS: connectMs,
    extra: {
      keepAlive: true,
      keepAliveInitialDelayMillis: KEEP_ALIVE_MS,
      lock_timeout: lockMs,
      statement_timeout: statementMs,
      query_timeout: queryTimeoutMs(statementMs),
      idle_in_transaction_session_timeout: idleInTransactionMs,
    },
  });
}

/**
 * Brings the database to the newest schema. Several processes may call it at once.
 * @throws Error that says which session holds a lock, if that session does not let go of it in time
 */
export async function migrate(url: string): Promise<void> {
  const dataSource = await createDataSource(url, 'migrations', 2).initialize();
  try {
    const lock = dataSource.createQueryRunner();
    try {
      await lock.query('SELECT pg_advisory_lock($1)', [MIGRATION_LOCK]);
      await dataSource.runMigrations({ transaction: 'all' });
      await lock.query('SELECT pg_advisory_unlock($1)', [MIGRATION_LOCK]);
    } catch (error) {
      throw isLockTimeout(error) ? await lockNotReleased(dataSource, error) : error;
    } finally {
      // The end of the session also lets go of the lock.
      await lock.release();
    }
  } finally {
    await dataSource.destroy();
  }
}

function isLockTimeout(error: unknown): boolean {
  return error instanceof QueryFailedError && (error.driverError as { code?: unknown }).code === LOCK_NOT_AVAILABLE;
}

async function lockNotReleased(dataSource: DataSource, cause: unknown): Promise<Error> {
  const sessions = await dataSource.query<{ pid: number; name: string; since: string }[]>(
    `SELECT DISTINCT a.pid, a.application_name AS name, to_char(coalesce(a.xact_start, a.query_start), 'HH24:MI:SS') AS since
     FROM pg_locks l JOIN pg_stat_activity a ON a.pid = l.pid
     WHERE l.granted AND a.datname = current_database() AND a.pid <> pg_backend_pid()
       AND (l.locktype = 'advisory' AND l.objid = $1 OR l.mode IN ('ShareLock', 'ExclusiveLock', 'AccessExclusiveLock'))`,
    [MIGRATION_LOCK],
  );
  const seconds = DATABASE_BOUNDS.migrations.lockMs / 1000;
  const who =
    sessions.map(({ pid, name, since }) => `${pid} ("${name}", since ${since})`).join(', ') || 'unknown by now';
  return new Error(
    `The database is not migrated: another session has not let go of a lock within ${seconds} s. ` +
      `PostgreSQL's process: ${who}. Wait for it, or end it with SELECT pg_terminate_backend(<process>), and start again.`,
    { cause },
  );
}
