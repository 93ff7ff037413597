import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { setTimeout as sleep } from 'node:timers/promises';
import { promisify } from 'node:util';
import { afterAll, beforeAll, beforeEach, describe, expect, it, jest } from '@jest/globals';
import { writeFlowStatus } from '../../infra/database/flow-status.js';
import { PYTHON } from '../../infra/local/installed.js';
import { STREAM_BOUNDS } from '../events/sse-writer.js';
import { WAKEUP_BOUNDS } from '../events/wakeups.service.js';
import { AnsweringApi } from './testing/answering-api.js';

const SCRIPT = fileURLToPath(new URL('./testing/official_client.py', import.meta.url));
const LOOK_MS = 700;

describe("OpenAI's package of Python", () => {
  let answering: AnsweringApi;

  beforeAll(async () => {
    answering = await AnsweringApi.start();
  });
  beforeEach(() => {
    // The reader of a stream is silent for some looks, with a heartbeat at each.
    jest.replaceProperty(STREAM_BOUNDS, 'heartbeatMs', 0);
    jest.replaceProperty(WAKEUP_BOUNDS, 'rarer', 1);
    answering.work = async (id) => {
      await sleep(LOOK_MS);
      await answering.complete(id);
    };
    answering.started.length = 0;
  });
  afterAll(async () => answering.api.stop());

  const run = async (what: string): Promise<unknown> => {
    const { baseURL, apiKey } = answering.client;
    const env = { ...process.env, OPENAI_BASE_URL: baseURL, OPENAI_API_KEY: apiKey };
    const { stdout } = await promisify(execFile)(PYTHON, [SCRIPT, what], { env });
    return JSON.parse(stdout);
  };

  it('gets an answer with its usage and the id of its flow', async () => {
    expect(await run('chat')).toEqual({
      text: '30184',
      tokens: 17,
      ids: [answering.started[0], answering.started[0]],
    });
    expect(await run('response')).toEqual({ text: '30184', tokens: 17 });
  });

  it('gets a stream with heartbeats in it', async () => {
    expect(await run('stream')).toEqual({ text: '30184', tokens: 17 });
    expect(await run('response_stream')).toEqual({
      text: '30184',
      first: 'response.created',
      last: 'response.completed',
    });
  });

  it('lists models', async () => {
    const listed = ['smollm2-135m-instruct', 'tiny-random'];
    expect(await run('models')).toEqual({ listed, retrieved: listed[0] });
  });

  it('is told by name what is refused, and in a stream what has failed', async () => {
    expect(await run('refused')).toEqual({ code: 'unsupported', param: 'n' });
    answering.work = async (flowId) => {
      const failure = { type: 'Outage', message: 'nobody answers' };
      await writeFlowStatus(answering.api.database.dataSource, { flowId, version: 1, status: 'failed', failure });
    };
    expect(await run('failed_stream')).toEqual({
      code: 'agent_flow_failed',
      message: expect.stringContaining(`${answering.started[0]} has failed: Outage: nobody answers`),
    });
  });
});
