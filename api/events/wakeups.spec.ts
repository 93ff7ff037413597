import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';
import { createParser, type EventSourceMessage } from 'eventsource-parser';
import { DATASETS_TOPIC, WEBHOOKS_TOPIC } from '../../infra/database/event-channel.js';
import { AgentFlow, TrainingRun, Turn } from '../../infra/database/entities/index.js';
import { writeFlowStatus } from '../../infra/database/flow-status.js';
import { LISTENER_NAME } from '../../infra/database/notification-listener.js';
import { appendEvent } from '../../infra/database/run-events.js';
import { writeRunStatus } from '../../infra/database/run-status.js';
import { trainingRunRow } from '../../infra/database/testing/training-run-row.js';
import { TestApi } from '../testing/test-api.js';
import { WAKEUP_BOUNDS, WakeupsService } from './wakeups.service.js';

/** Longer than any test. */
const NEVER_MS = 2 ** 30;
const usual = { ...WAKEUP_BOUNDS };

/** A reader of one stream. */
class Reader {
  readonly events: EventSourceMessage[] = [];
  private readonly leaving = new AbortController();
  private more: () => void = () => undefined;
  ended = false;

  constructor(private readonly response: Response) {
    void this.read();
  }

  static async of(api: TestApi, path: string): Promise<Reader> {
    const headers = { Authorization: `Bearer ${api.key}`, Accept: 'text/event-stream' };
    return new Reader(await fetch(api.url + path, { headers }));
  }

  /** Waits until this many events have come. */
  async until(count: number): Promise<void> {
    while (this.events.length < count && !this.ended) await new Promise<void>((resolve) => (this.more = resolve));
    expect(this.ids()).toHaveLength(count);
  }

  ids(): number[] {
    return this.events.map(({ id }) => Number(id));
  }

  leave(): void {
    this.leaving.abort();
  }

  private async read(): Promise<void> {
    const parser = createParser({ onEvent: (event) => this.events.push(event) });
    const decoder = new TextDecoder();
    const body = this.response.body!.getReader();
    this.leaving.signal.addEventListener('abort', () => void body.cancel());
    for (;;) {
      const { value, done } = (await body.read()) as { value?: Uint8Array; done: boolean };
      if (done) break;
      parser.feed(decoder.decode(value, { stream: true }));
      this.more();
    }
    this.ended = true;
    this.more();
  }
}

describe(WakeupsService, () => {
  let api: TestApi;
  let runId: string;

  afterEach(async () => {
    jest.restoreAllMocks();
    await api.stop();
    Object.assign(WAKEUP_BOUNDS, usual);
  });
  const start = async (deafMs: number, rarer = usual.rarer): Promise<void> => {
    Object.assign(WAKEUP_BOUNDS, { deafMs, rarer });
    api = await TestApi.start();
    const row = trainingRunRow({ status: 'running' });
    runId = row.id;
    await api.database.dataSource.getRepository(TrainingRun).insert(row);
    await untilListening();
  };
  /** A reader that nobody polls for hears of nothing before. */
  const untilListening = async (): Promise<void> => {
    const wakeups = api.app.get<WakeupsService, { listening: boolean }>(WakeupsService);
    while (!wakeups.listening) await new Promise((resolve) => setTimeout(resolve, 10));
  };
  const append = (key: string, data: Record<string, unknown> = {}): Promise<number> =>
    api.database.dataSource.transaction((manager) => appendEvent(manager, runId, key, 'step.completed', data));
  const complete = () =>
    writeRunStatus(api.database.dataSource, { runId, version: 1, status: 'completed', step: 3, steps: 9 });
  const follow = (path = `/v1/training_runs/${runId}/events`) => Reader.of(api, path);

  describe('without any look of its own accord', () => {
    beforeEach(() => start(NEVER_MS));

    it('a run tells its readers when its events are committed', async () => {
      const reader = await follow();
      for (const step of [1, 2, 3]) {
        await append(`step/${step}`);
        await reader.until(step);
      }
      await complete();
      await reader.until(4);
      expect(reader.ids()).toEqual([1, 2, 3, 4]);
    });

    it('a flow tells its readers of its turns and of its end', async () => {
      const { body } = await api.request('post', '/v1/agent_flows').send({ question: 'What is 347 plus 589?' });
      const { id } = body as { id: string };
      const { dataSource } = api.database;
      const reader = await follow(`/v1/agent_flows/${id}/events`);
      await reader.until(1);
      const output = { text: 'c: 1', subGoal: 's', context: 'c', tool: 'calculator', justification: 'j', seconds: 1 };
      await dataSource.getRepository(Turn).insert({ flowId: id, turn: 1, module: 'planner', output });
      await reader.until(2);
      await writeFlowStatus(dataSource, { flowId: id, version: 1, status: 'cancelled' } as never);
      await reader.until(3);
      expect(reader.events.map(({ event }) => event)).toEqual(['flow.queued', 'turn.plan', 'flow.cancelled']);
      expect(await dataSource.getRepository(AgentFlow).countBy({ id, status: 'cancelled' })).toBe(1);
    });

    it('what was committed while nobody listened is told once somebody listens again', async () => {
      const reader = await follow();
      await append('step/1');
      await reader.until(1);
      const { dataSource } = api.database;
      // In one transaction: the event is there when the session ends, and its telling is for nobody.
      await dataSource.transaction(async (manager) => {
        await manager.query(
          'SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database() AND application_name = $1',
          [LISTENER_NAME],
        );
        await manager.query(
          `DO $$ BEGIN WHILE EXISTS (SELECT FROM pg_stat_activity WHERE datname = current_database()
             AND application_name = '${LISTENER_NAME}') LOOP PERFORM pg_stat_clear_snapshot(); END LOOP; END $$`,
        );
        await appendEvent(manager, runId, 'step/2', 'step.completed', {});
      });
      await reader.until(2);
      expect(reader.ids()).toEqual([1, 2]);
      reader.leave();
    });

    it('an event larger than a notification may be, and with lines of the stream in it, is one event', async () => {
      const text = `${'x'.repeat(20_000)}\n\nid: 99\r\nevent: run.failed\rdata: {}\n\n`;
      const reader = await follow();
      await append('step/1', { text });
      await reader.until(1);
      await append('step/2');
      await reader.until(2);
      expect(reader.ids()).toEqual([1, 2]);
      expect(JSON.parse(reader.events[0].data)).toMatchObject({ sequence: 1, data: { text } });
      reader.leave();
    });

    it('two hundred readers of a run make as many queries for an event as one does', async () => {
      const readers = await Promise.all(Array.from({ length: 200 }, () => follow()));
      await append('step/1');
      await Promise.all(readers.map((reader) => reader.until(1)));
      const queries = jest.spyOn(api.database.dataSource, 'createQueryRunner');
      for (let step = 2; step <= 11; step++) {
        await append(`step/${step}`);
        await Promise.all(readers.map((reader) => reader.until(step)));
      }
      // Of each event: the transaction that appends it, the page and the run's row; once more if a wake comes meanwhile.
      expect(queries.mock.calls.length).toBeLessThanOrEqual(10 * (1 + 2 * 2));
      for (const reader of readers) expect(reader.ids()).toEqual(Array.from({ length: 11 }, (_, i) => i + 1));
      for (const reader of readers) reader.leave();
    });

    it('a reader that comes and goes leaves nothing behind', async () => {
      const readers = await Promise.all(Array.from({ length: 5 }, () => follow()));
      await append('step/1');
      await Promise.all(readers.map((reader) => reader.until(1)));
      for (const reader of readers) reader.leave();
      const { topics } = api.app.get<WakeupsService, { topics: Map<string, unknown> }>(WakeupsService);
      // The API itself follows these.
      const own = [DATASETS_TOPIC, WEBHOOKS_TOPIC];
      const left = () => [...topics.keys()].filter((id) => !own.includes(id));
      while (left().length > 0) await new Promise((resolve) => setTimeout(resolve, 10));
    });
  });

  it('a telling that was missed is made up for by a look now and then', async () => {
    await start(20, 2);
    await api.database.dataSource.query('ALTER TABLE run_events DISABLE TRIGGER tell');
    const reader = await follow();
    await append('step/1');
    await reader.until(1);
    await append('step/2');
    await reader.until(2);
    reader.leave();
  });
});
