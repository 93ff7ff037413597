import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it, jest } from '@jest/globals';
import { TestWorkflowEnvironment } from '@temporalio/testing';
import { addEndedRun, everything } from '../api/submissions/removal/testing/owned.js';
import { searchAttributes } from '../contracts/search-attributes.js';
import { PROJECT_ROOT } from '../infra/config/project-root.js';
import { createApiKey } from '../infra/database/api-keys.js';
import { TrainingRun } from '../infra/database/entities/index.js';
import { createTestDatabase, type TestDatabase } from '../infra/database/testing/test-database.js';
import { ApiProcess } from './support/api-process.js';
import { until } from './support/started-run.js';
import { temporalBinary } from './support/temporal-binary.js';

jest.setTimeout(600_000);

/** When a key was last used is written once a minute: not by every request. */
const LAST_USE = 'update api_keys';

interface Answer {
  status: number;
  body: { id: string };
}

describe('an API process that is killed', () => {
  let environment: TestWorkflowEnvironment;
  let database: TestDatabase;
  let directory: string;
  let artifacts: string;
  let points: string;
  let api: ApiProcess;
  let key: string;

  beforeAll(async () => {
    environment = await TestWorkflowEnvironment.createLocal({
      server: {
        executable: { type: 'existing-path', path: temporalBinary() },
        searchAttributes: Object.values(searchAttributes),
        log: { format: 'json', level: 'error' },
      },
    });
    database = await createTestDatabase();
    key = await createApiKey(database.dataSource, 'default');
    directory = await mkdtemp(join(tmpdir(), 'agentflow-kills-'));
    artifacts = join(directory, 'artifacts');
    points = join(directory, 'points');
    const flags = ['--import', join(PROJECT_ROOT, 'test/support/die-after.mjs')];
    const env = { AGENTFLOW_TEST_POINTS: points };
    api = await ApiProcess.at({ database: database.url, artifacts, temporal: environment.address, flags, env });
    await api.start();
  });
  afterAll(async () => {
    await api.stop('SIGKILL');
    await environment.teardown();
    await database.drop();
    await rm(directory, { recursive: true });
  });

  it('after any effect of a create leaves one run with one workflow, to whoever asks again', async () => {
    const all = await pointsOf(() => create('undisturbed'));
    expect(all).toEqual(expect.arrayContaining(['request', 'StartWorkflowExecution']));
    for (const point of all) {
      await killed(create(point, point));
      const { body } = await create(point);
      const runs = await database.dataSource.getRepository(TrainingRun).findBy({ name: point });
      expect(runs.map(({ id }) => id)).toEqual([body.id]);
      await until(async () => (await workflowsOf(body.id)) === 1);
      expect(await create(point)).toMatchObject({ status: 200, body: { id: body.id } });
      expect(await workflowsOf(body.id)).toBe(1);
    }
    expect(await database.dataSource.getRepository(TrainingRun).count()).toBe(all.length + 1);
  });

  it('after any effect of a deletion leaves nothing of the run once it is back, and all of the others', async () => {
    await addEndedRun(database.dataSource, artifacts);
    const others = await rest();
    const all = await pointsOf(async () => {
      const id = await addEndedRun(database.dataSource, artifacts);
      await remove(id);
      await until(async () => (await remove(id)).status === 204);
    });
    expect(all).toEqual(expect.arrayContaining(['request', 'rename', 'rm', 'delete rollouts']));
    for (const point of all) {
      const id = await addEndedRun(database.dataSource, artifacts);
      await killed(remove(id, point));
      await until(async () => (await remove(id)).status === 204);
      expect(await rest()).toEqual(others);
    }
  });

  /** All that is there, except the use of the key. */
  async function rest(): Promise<string[]> {
    return (await everything(database.dataSource, artifacts)).filter((row) => !row.startsWith('api_keys '));
  }

  /** The points of what is done meanwhile, each once. */
  async function pointsOf(act: () => Promise<unknown>): Promise<string[]> {
    await writeFile(points, '');
    await act();
    const all = new Set((await readFile(points, 'utf8')).trimEnd().split('\n'));
    all.delete(LAST_USE);
    return [...all];
  }

  /** Waits until a request has killed the process, which the last points do behind its answer, and starts another. */
  async function killed(request: Promise<Answer>): Promise<void> {
    await Promise.allSettled([request]);
    await api.ended();
    await api.start();
  }

  async function send(method: string, path: string, headers: object, body?: string): Promise<Answer> {
    const answer = await fetch(`${api.url}${path}`, {
      method,
      headers: { Authorization: `Bearer ${key}`, ...headers },
      ...(body && { body }),
    });
    const text = await answer.text();
    return { status: answer.status, body: (text ? JSON.parse(text) : {}) as Answer['body'] };
  }

  /** A run that is named after a point, and the process dies at it if it is told so. */
  function create(name: string, dieAfter?: string): Promise<Answer> {
    const headers = { 'Content-Type': 'application/json', 'Idempotency-Key': encodeURIComponent(name) };
    const body = JSON.stringify({ name, model: 'tiny-random', steps: 1 });
    return send('POST', '/v1/training_runs', { ...headers, ...dying(dieAfter) }, body);
  }

  function remove(id: string, dieAfter?: string): Promise<Answer> {
    return send('DELETE', `/v1/training_runs/${id}`, dying(dieAfter));
  }

  function dying(point: string | undefined): object {
    return point === undefined ? {} : { 'X-Die-After': point };
  }

  async function workflowsOf(id: string): Promise<number> {
    const { count } = await environment.client.workflow.count(`WorkflowId = "${id}"`);
    return count;
  }
});
