import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it, jest } from '@jest/globals';
import { followEvents, type FollowedEvent } from '../cli/client/follow-events.js';
import { createApiKey } from '../infra/database/api-keys.js';
import { createDataSource } from '../infra/database/data-source.js';
import { TrainingRun } from '../infra/database/entities/index.js';
import { appendEvent } from '../infra/database/run-events.js';
import { writeRunStatus } from '../infra/database/run-status.js';
import { createTestDatabase, type TestDatabase } from '../infra/database/testing/test-database.js';
import { trainingRunRow } from '../infra/database/testing/training-run-row.js';
import { ApiProcess } from './support/api-process.js';

jest.setTimeout(300_000);

const LISTENERS = 200;
const STEPS = 90;

describe('two API processes', () => {
  let database: TestDatabase;
  let artifacts: string;
  let processes: ApiProcess[];
  let key: string;

  beforeAll(async () => {
    database = await createTestDatabase();
    key = await createApiKey(database.dataSource, 'default');
    artifacts = await mkdtemp(join(tmpdir(), 'agentflow-listeners-'));
    // Nothing is there: who follows events needs no Temporal server.
    const options = { database: database.url, artifacts, temporal: '127.0.0.1:1' };
    const first = await ApiProcess.at(options);
    processes = [first, await ApiProcess.at(options, new Set([first.port]))];
    await Promise.all(processes.map((api) => api.start()));
  });
  afterAll(async () => {
    await Promise.all(processes.map((api) => api.stop('SIGKILL')));
    await rm(artifacts, { recursive: true });
    await database.drop();
  });

  it('tell 200 listeners of one run every event exactly once, while one is restarted and the other killed', async () => {
    const run = trainingRunRow({ status: 'running' });
    await database.dataSource.getRepository(TrainingRun).insert(run);
    const worker = await createDataSource(database.url, 'agent-worker').initialize();
    const append = (step: number) =>
      worker.transaction((manager) => appendEvent(manager, run.id, `step/${step}`, 'step.completed', { step }));
    const listen = async ({ url }: ApiProcess): Promise<{ heard: FollowedEvent[]; attempts: number }> => {
      const heard: FollowedEvent[] = [];
      let attempts = 0;
      const headers = { Authorization: `Bearer ${key}`, Accept: 'text/event-stream' };
      const open = (after: number, signal: AbortSignal) => {
        attempts += 1;
        return fetch(`${url}/v1/training_runs/${run.id}/events`, {
          headers: { ...headers, 'Last-Event-ID': String(after) },
          signal,
        });
      };
      for await (const event of followEvents(open)) heard.push(event);
      return { heard, attempts };
    };
    const listeners = Array.from({ length: LISTENERS }, (_, i) => listen(processes[i % processes.length]));

    // Three writers, of which two are retries of each other.
    const write = async (first: number, by: number) => {
      for (let step = first; step <= STEPS; step += by) {
        await append(step);
        await sleep(20);
      }
    };
    const writing = Promise.all([write(1, 2), write(2, 2), write(2, 2)]);
    await processes[0].stop('SIGTERM');
    await processes[0].start();
    await processes[1].stop('SIGKILL');
    await append(STEPS + 1);
    await processes[1].start();
    await writing;
    await writeRunStatus(worker, { runId: run.id, version: 1, status: 'completed', step: STEPS, steps: STEPS });
    await worker.destroy();

    const all = Array.from({ length: STEPS + 2 }, (_, i) => i + 1);
    for (const { heard, attempts } of await Promise.all(listeners)) {
      expect(heard.map(({ sequence }) => sequence)).toEqual(all);
      // It has lost its connection: the test would show nothing else.
      expect(attempts).toBeGreaterThan(1);
    }
  });
});
