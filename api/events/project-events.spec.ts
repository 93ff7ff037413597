import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { createParser } from 'eventsource-parser';
import { PROJECT_EVENT_TYPES, PROJECT_EVENTS } from '../../contracts/events.js';
import { createApiKey } from '../../infra/database/api-keys.js';
import { createDataSource } from '../../infra/database/data-source.js';
import { Checkpoint, ProjectEvent, RunEvent, TrainingRun } from '../../infra/database/entities/index.js';
import { writeFlowStatus } from '../../infra/database/flow-status.js';
import { ProjectEvents1796148300000 } from '../../infra/database/migrations/1796148300000-project-events.js';
import { Webhooks1796169600000 } from '../../infra/database/migrations/1796169600000-webhooks.js';
import { PolicyExports1796184000000 } from '../../infra/database/migrations/1796184000000-policy-exports.js';
import { appendEvent } from '../../infra/database/run-events.js';
import { writeRunStatus } from '../../infra/database/run-status.js';
import { untilSomebodyWaits } from '../../infra/database/testing/lock-wait.js';
import { trainingRunRow } from '../../infra/database/testing/training-run-row.js';
import type { List } from '../common/list.dto.js';
import { TestApi } from '../testing/test-api.js';
import type { ProjectEventDto } from './project-event.dto.js';
import { ProjectEventsController } from './project-events.controller.js';

describe(ProjectEventsController, () => {
  let api: TestApi;
  let project: string;
  let key: string;
  let projects = 0;

  beforeAll(async () => {
    api = await TestApi.start();
  });
  afterAll(async () => api.stop());
  beforeEach(async () => {
    project = `team-${++projects}`;
    key = await createApiKey(api.database.dataSource, project);
  });

  const rows = () => api.database.dataSource;
  const addRun = async (status: TrainingRun['status'] = 'running'): Promise<string> => {
    const row = trainingRunRow({ project, status });
    await rows().getRepository(TrainingRun).insert(row);
    return row.id;
  };
  const append = (id: string, step: number): Promise<number> =>
    rows().transaction((manager) => appendEvent(manager, id, `step/${step}`, 'step.completed', { step }));
  const list = async (query: object = {}, by = key): Promise<List<ProjectEventDto>> =>
    (await api.request('get', '/v1/events', by).query(query).expect(200)).body as List<ProjectEventDto>;
  const told = async () => (await list()).data.map(({ type, subject }) => [type, subject]);

  it('tells of every run, flow and evaluation of the project, in pages, and of no other project', async () => {
    const [a, b] = [await addRun(), await addRun()];
    await append(a, 1);
    await append(b, 1);
    const asked = await api.request('post', '/v1/agent_flows', key).send({ question: 'What is 347 plus 589?' });
    const { id: flow } = asked.body as { id: string };
    const measured = {
      model: 'smollm2-135m-instruct',
      policies: ['base'],
      benchmarks: [{ name: 'atlas', questions: 1 }],
    };
    const { body } = await api.request('post', '/v1/evaluations', key).send(measured).expect(201);
    const failure = { type: 'BadConfiguration', message: 'no' };
    await writeFlowStatus(rows(), { flowId: flow, version: 1, status: 'failed', failure } as never);
    expect(await told()).toEqual([
      ['step.completed', a],
      ['step.completed', b],
      ['flow.queued', flow],
      ['benchmark_evaluation.queued', (body as { id: string }).id],
      ['flow.failed', flow],
    ]);
    const first = await list({ limit: 2 });
    expect(first).toMatchObject({ object: 'list', has_more: true, first_id: '1', last_id: '2' });
    expect(await list({ after: 4 })).toMatchObject({ has_more: false, data: [{ id: '5', data: { failure } }] });
    expect((await list({}, await createApiKey(rows(), `${project}-other`))).data).toEqual([]);
    await api.request('get', '/v1/events', key).query({ after: 'x' }).expect(400);
    await api.request('get', '/v1/events', key).query({ project: 'default' }).expect(400);
  });

  it('is followed to and fro, by Last-Event-ID, by readers that are told when something is committed', async () => {
    const run = await addRun();
    await append(run, 1);
    await append(run, 2);
    const leaving = new AbortController();
    const headers = { Authorization: `Bearer ${key}`, Accept: 'text/event-stream', 'Last-Event-ID': '1' };
    const response = await fetch(`${api.url}/v1/events`, { headers, signal: leaving.signal });
    const seen: ProjectEventDto[] = [];
    const parser = createParser({ onEvent: ({ data }) => seen.push(JSON.parse(data) as ProjectEventDto) });
    const decoder = new TextDecoder();
    await append(run, 3);
    for await (const chunk of response.body as unknown as AsyncIterable<Uint8Array>) {
      parser.feed(decoder.decode(chunk, { stream: true }));
      if (seen.length === 2) break;
    }
    leaving.abort();
    expect(seen.map(({ sequence, data }) => [sequence, data['step']])).toEqual([
      [2, 2],
      [3, 3],
    ]);
  });

  it('numbers without gaps, and what a reader has passed never comes behind it, while many runs write at once', async () => {
    const runs = await Promise.all(Array.from({ length: 8 }, () => addRun()));
    const worker = await createDataSource(api.database.url, 'agent-worker').initialize();
    const writing = Promise.all(
      runs.map(async (id) => {
        for (let step = 1; step <= 15; step++) {
          await worker.transaction((manager) => appendEvent(manager, id, `step/${step}`, 'step.completed', { step }));
        }
      }),
    );
    let failed = false;
    void writing.catch(() => (failed = true));
    const seen: number[] = [];
    while (seen.length < 120 && !failed) {
      seen.push(...(await list({ after: seen.at(-1) ?? 0, limit: 1000 })).data.map(({ sequence }) => sequence));
    }
    await writing;
    await worker.destroy();
    expect(seen).toEqual(Array.from({ length: 120 }, (_, i) => i + 1));
  });

  it('keeps no run waiting for another: a transaction that has told something holds up nobody until it commits', async () => {
    const [slow, quick] = [await addRun(), await addRun()];
    const runner = rows().createQueryRunner();
    await runner.startTransaction();
    await appendEvent(runner.manager, slow, 'step/1', 'step.completed', { step: 1 });
    await append(quick, 1);
    await runner.commitTransaction();
    await runner.release();
    expect(await told()).toEqual([
      ['step.completed', quick],
      ['step.completed', slow],
    ]);
  });

  it('does not deadlock with the deletion of a run', async () => {
    api.workflows.goneWorkflow = { reason: 'it completed', cancelled: false };
    const [ended, running] = [await addRun('completed'), await addRun()];
    const runner = rows().createQueryRunner();
    await runner.startTransaction();
    await appendEvent(runner.manager, running, 'step/1', 'step.completed', { step: 1 });
    const lock = 'SELECT FROM training_runs WHERE id = $1 FOR KEY SHARE';
    await runner.query(lock, [ended]);
    const removing = api.request('delete', `/v1/training_runs/${ended}`, key).then(({ status }) => status);
    await untilSomebodyWaits(rows());
    await runner.commitTransaction();
    await runner.release();
    expect(await removing).toBe(202);
    expect(await told()).toEqual([
      ['step.completed', running],
      ['run.deleted', ended],
    ]);
  });

  it('loses the events of a run that is deleted, but that it was deleted', async () => {
    api.workflows.goneWorkflow = { reason: 'it completed', cancelled: false };
    const [gone, stays] = [await addRun(), await addRun()];
    await append(gone, 1);
    await append(stays, 1);
    await writeRunStatus(rows(), { runId: gone, version: 1, status: 'completed', step: 1, steps: 1 });
    await api.request('delete', `/v1/training_runs/${gone}`, key).expect(202);
    while ((await rows().getRepository(ProjectEvent).countBy({ subject: gone })) > 1) {
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
    expect(await list()).toMatchObject({
      data: [
        { sequence: 2, type: 'step.completed', subject: stays },
        { sequence: 4, type: 'run.deleted', subject: gone, data: { status: 'completed' } },
      ],
    });
  });

  it('tells of a checkpoint that the trainer has written, once', async () => {
    const run = await addRun();
    const insert = `INSERT INTO checkpoints (run_id, step, uri, sha256, bytes) VALUES ($1, 3, 'file:///c', 'ab', 12)
      ON CONFLICT (run_id, step) DO UPDATE SET removed_at = NULL`;
    await rows().query(insert, [run]);
    await rows().query(insert, [run]);
    expect(await rows().getRepository(Checkpoint).countBy({ runId: run })).toBe(1);
    const events = await rows().getRepository(RunEvent).findBy({ runId: run });
    expect(events.map(({ type, data }) => [type, data])).toEqual([
      ['checkpoint.saved', { step: 3, sha256: 'ab', bytes: 12 }],
    ]);
    for (const { type, data } of (await list()).data) {
      expect(PROJECT_EVENTS[type as keyof typeof PROJECT_EVENTS].parse(data)).toEqual(data);
    }
  });

  it('begins with the events of the runs that were there before it', async () => {
    const runner = rows().createQueryRunner();
    const migration = new ProjectEvents1796148300000();
    // Both use what it makes.
    const later = [new Webhooks1796169600000(), new PolicyExports1796184000000()];
    for (const one of later.toReversed()) await one.down(runner);
    await migration.down(runner);
    const [a, b] = [await addRun(), await addRun()];
    const at = (minute: number) => new Date(Date.UTC(2026, 0, 1, 0, minute));
    const event = (runId: string, sequence: number, minute: number) => ({
      ...{ runId, sequence, eventKey: `k/${sequence}`, type: 'an.older.one', data: { old: true } },
      createdAt: at(minute),
    });
    await rows()
      .getRepository(RunEvent)
      .insert([event(a, 1, 1), event(a, 2, 3), event(b, 1, 2)]);
    await rows().getRepository(TrainingRun).update({ id: a }, { eventSequence: 2 });
    await migration.up(runner);
    for (const one of later) await one.up(runner);
    await runner.release();
    await append(a, 1);
    expect(await told()).toEqual([
      ['an.older.one', a],
      ['an.older.one', b],
      ['an.older.one', a],
      ['step.completed', a],
    ]);
    expect((await list()).data[0]).toMatchObject({ created_at: at(1).toISOString(), data: { old: true } });
  });

  it('names every type that the API publishes', async () => {
    const { body } = await api.request('get', '/docs-json', key).expect(200);
    const { ProjectEvent: published } = (body as { components: { schemas: Record<string, { oneOf: unknown[] }> } })
      .components.schemas;
    expect(published.oneOf).toHaveLength(PROJECT_EVENT_TYPES.length);
  });
});
