import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { Turn } from '../../infra/database/entities/index.js';
import { createTestDatabase, type TestDatabase } from '../../infra/database/testing/test-database.js';
import type { Sample } from '../modules/planner/planner-engine.js';
import type { ModelCall } from '../../contracts/model-call.js';
import { unpackFloat32, unpackInt32 } from './token-bytes.js';
import type { TurnKey } from './turn-key.js';
import { TurnStore } from './turn-store.js';

const sample: Sample = {
  messages: [{ role: 'user', content: 'Question' }],
  promptTokenIds: [1, 2, 49151],
  responseTokenIds: [7, 2],
  logprobs: [-0.25, -1.5],
  policyName: 'run-1@0',
  policySha256: 'a'.repeat(64),
  temperature: 0.7,
  seed: '18446744073709551615',
  template: 't',
};

describe('TurnStore', () => {
  let database: TestDatabase;
  let turns: TurnStore;

  beforeAll(async () => {
    database = await createTestDatabase();
    turns = new TurnStore(database.dataSource);
  });
  afterAll(async () => database.drop());

  const signal = new AbortController().signal;
  const once: TurnStore['once'] = (place, produce) => turns.once(place, produce, signal);
  const key = (flowId: string): TurnKey => ({ flowId, turn: 1, module: 'planner' });

  it('stores what was sampled, with the exact tokens, and returns the output', async () => {
    const produced = await once(key('exact'), async () => ({ output: { text: 'Lookup: é' }, sample }));
    expect(produced).toEqual({ text: 'Lookup: é', seconds: expect.any(Number) });
    const row = await database.dataSource.getRepository(Turn).findOneByOrFail(key('exact'));
    expect([...unpackInt32(row.promptTokenIds as Buffer)]).toEqual(sample.promptTokenIds);
    expect([...unpackInt32(row.responseTokenIds as Buffer)]).toEqual(sample.responseTokenIds);
    expect([...unpackFloat32(row.logprobs as Buffer)]).toEqual(sample.logprobs);
    const { policyName, policySha256, temperature, seed, messages: prompt } = sample;
    expect(row).toMatchObject({ policyName, policySha256, temperature, seed, prompt });
  });

  it('never asks again for a turn that is stored (I3)', async () => {
    const first = await once(key('again'), async () => ({ output: { text: 'first' }, sample }));
    const second = await once<{ text: string }>(key('again'), () => Promise.reject(new Error('asked again')));
    expect(second).toEqual(first);
  });

  it('returns one and the same record to every attempt of a race, also to a late one (I3)', async () => {
    const produce = (text: string, delay: number) => async () => {
      await new Promise((resolve) => setTimeout(resolve, delay));
      return { output: { text }, sample };
    };
    const attempts = [40, 10, 30, 80].map((delay) => once(key('race'), produce(`after ${delay}`, delay)));
    const outputs = await Promise.all(attempts);
    expect(new Set(outputs.map(({ text }) => text)).size).toBe(1);
    expect(await database.dataSource.getRepository(Turn).countBy({ flowId: 'race' })).toBe(1);
  });

  const call: ModelCall = {
    engine: 'llm',
    model: 'large',
    prompt: [{ role: 'user', content: 'Question' }],
    temperature: 0,
    maxTokens: 10,
    reply: 'Answer',
    finishReason: 'stop',
    inputTokens: 12,
    outputTokens: 3,
    cost: 0.5,
    seconds: 1,
  };

  it('keeps the calls of language models, and counts what those of earlier attempts took', async () => {
    const local: ModelCall = { ...call, engine: 'policy' };
    const cached: ModelCall = { ...call, cached: true };
    const recorded = { calls: [call, local, cached, call], earlierSeconds: 1000 };
    const { seconds } = await once(key('calls'), async () => ({ output: {}, recorded }));
    expect(Math.floor(seconds)).toBe(1000);
    const row = await database.dataSource.getRepository(Turn).findOneByOrFail(key('calls'));
    expect(row.calls).toEqual([call, local, cached, call]);
  });

  it('stores what a model wrote, whatever characters it holds', async () => {
    const text = 'NUL \0 and half a pair \ud800';
    const stored = await once(key('bytes'), async () => ({ output: { text, parts: [{ [text]: text }] } }));
    const kept = 'NUL \uFFFD and half a pair \uFFFD';
    expect(stored).toMatchObject({ text: kept, parts: [{ [kept]: kept }] });
  });

  it('stores nothing when the call fails', async () => {
    await expect(once(key('failed'), () => Promise.reject(new Error('down')))).rejects.toThrow('down');
    expect(await database.dataSource.getRepository(Turn).countBy({ flowId: 'failed' })).toBe(0);
  });
});
