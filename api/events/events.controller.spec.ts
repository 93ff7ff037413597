import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { createDataSource } from '../../infra/database/data-source.js';
import { TrainingRun } from '../../infra/database/entities/index.js';
import { appendEvent } from '../../infra/database/run-events.js';
import { writeRunStatus } from '../../infra/database/run-status.js';
import { trainingRunRow } from '../../infra/database/testing/training-run-row.js';
import { TestApi } from '../testing/test-api.js';
import { EventsController } from './events.controller.js';

describe(EventsController, () => {
  let api: TestApi;
  let runId: string;

  beforeAll(async () => {
    api = await TestApi.start();
  });
  afterAll(async () => api.stop());
  beforeEach(async () => {
    const row = trainingRunRow({ status: 'running' });
    runId = row.id;
    await api.database.dataSource.getRepository(TrainingRun).insert(row);
  });

  const append = (step: number): Promise<number> =>
    api.database.dataSource.transaction((manager) =>
      appendEvent(manager, runId, `step/${step}`, 'step.completed', { step }),
    );
  const complete = () =>
    writeRunStatus(api.database.dataSource, { runId, version: 1, status: 'completed', step: 3, steps: 9 });
  const follow = (headers: Record<string, string> = {}, query = '', signal?: AbortSignal): Promise<Response> =>
    fetch(`${api.url}/v1/training_runs/${runId}/events${query}`, {
      headers: { Authorization: `Bearer ${api.key}`, Accept: 'text/event-stream', ...headers },
      ...(signal && { signal }),
    });

  it('lists events by sequence', async () => {
    for (const step of [1, 2, 3]) await append(step);
    const path = `/v1/training_runs/${runId}/events`;
    const first = await api.request('get', `${path}?limit=2`).expect(200);
    expect(first.body).toMatchObject({ object: 'list', has_more: true, first_id: '1', last_id: '2' });
    const rest = await api.request('get', `${path}?after=2`).expect(200);
    expect(rest.body).toMatchObject({
      has_more: false,
      data: [{ object: 'training_run.event', sequence: 3, type: 'step.completed', data: { step: 3 } }],
    });
    await api.request('get', `${path}?after=x`).expect(400);
    await api.request('get', '/v1/training_runs/run-none/events').expect(404);
  });

  it('streams what was there, what comes, and ends with the run', async () => {
    await append(1);
    const response = await follow();
    expect(response.headers.get('content-type')).toContain('text/event-stream');
    await append(2);
    await complete();
    expect(idsOf(await response.text())).toEqual([1, 2, 3]);
  });

  it('loses and repeats nothing across reconnects while many write', async () => {
    // Events are written by agent workers, which wait longer for a connection than a request may.
    const worker = await createDataSource(api.database.url, 'agent-worker').initialize();
    const write = (step: number) =>
      worker.transaction((manager) => appendEvent(manager, runId, `step/${step}`, 'step.completed', { step }));
    // As many at once as the pool has connections: none waits for one.
    const writer = async (first: number) => {
      for (let step = first; step < 60; step += 10) await write(step);
    };
    const writing = Promise.all(Array.from({ length: 10 }, (_, first) => writer(first)));
    let failed = false;
    void writing.catch(() => (failed = true));
    const seen: number[] = [];
    while (seen.length < 60 && !failed) {
      const closing = new AbortController();
      const response = await follow({ 'Last-Event-ID': String(seen.at(-1) ?? 0) }, '', closing.signal);
      seen.push(...idsOf(await readSome(response)));
      closing.abort();
    }
    await writing;
    await worker.destroy();
    await complete();
    seen.push(...idsOf(await (await follow({ 'Last-Event-ID': String(seen.at(-1)) })).text()));
    expect(seen).toEqual(Array.from({ length: 61 }, (_, index) => index + 1));
  });

  it('answers 204 to a reader who has everything of a finished run', async () => {
    await complete();
    expect((await follow({ 'Last-Event-ID': '1' })).status).toBe(204);
    expect((await follow({}, '?after=1')).status).toBe(204);
    expect((await follow({ 'Last-Event-ID': 'x' })).status).toBe(400);
  });

  it('writes ids, types and data as server-sent events', async () => {
    await append(1);
    await complete();
    const [first] = (await (await follow()).text()).split('\n\n');
    const lines = first?.split('\n') ?? [];
    expect(lines.slice(0, 2)).toEqual(['id: 1', 'event: step.completed']);
    expect(JSON.parse(lines[2]?.replace('data: ', '') ?? '')).toMatchObject({ run_id: runId, data: { step: 1 } });
  });
});

function idsOf(stream: string): number[] {
  return [...stream.matchAll(/^id: (\d+)$/gm)].map(([, id]) => Number(id));
}

/** The first chunk of a stream, cut after its last whole event. */
async function readSome(response: Response): Promise<string> {
  const reader = response.body?.getReader();
  const chunk = (await reader?.read()) as { value?: Uint8Array } | undefined;
  const text = new TextDecoder().decode(chunk?.value);
  return text.slice(0, text.lastIndexOf('\n\n') + 2);
}
