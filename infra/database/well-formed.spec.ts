import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { RunEvent, TrainingRun, Turn } from './entities/index.js';
import { createTestDatabase, type TestDatabase } from './testing/test-database.js';
import { trainingRunRow } from './testing/training-run-row.js';
import { UnstorableValue, wellFormed } from './well-formed.js';

const anyText = fc.oneof(fc.string({ unit: 'binary' }), fc.constantFrom('\0', '\ud800', 'a\udc00b', '😀\0'));

describe('the gate of rows (I16)', () => {
  let database: TestDatabase;

  beforeAll(async () => {
    database = await createTestDatabase();
  });
  afterAll(() => database.drop());

  it('stands before every column that can hold a text', () => {
    for (const { columns } of database.dataSource.entityMetadatas) {
      for (const { type, transformer, propertyName } of columns) {
        if (type !== 'text' && type !== 'jsonb') continue;
        expect([propertyName, typeof transformer]).toEqual([propertyName, 'object']);
      }
    }
  });

  const store = async (output: unknown) => {
    const key = { flowId: randomUUID(), turn: 1, module: 'planner' };
    const turns = database.dataSource.getRepository(Turn);
    await turns.insert({ ...key, output: output as object });
    return (await turns.findOneByOrFail(key)).output;
  };

  it('lets every JSON value through as it is, but for characters that PostgreSQL has none for', async () => {
    const value = fc.jsonValue({ maxDepth: 8, stringUnit: 'binary' });
    await fc.assert(
      fc.asyncProperty(fc.dictionary(fc.string(), value), async (output) => {
        const kept = JSON.parse(JSON.stringify(output)) as unknown;
        expect(await store(output)).toEqual(mapTexts(kept));
      }),
      { numRuns: 100 },
    );
  });

  it('finds again what it let through, by the text as it was given', async () => {
    await fc.assert(
      fc.asyncProperty(anyText, async (text) => {
        const runs = database.dataSource.getRepository(TrainingRun);
        const row = trainingRunRow({ name: text, project: `${randomUUID()}${text}` });
        await runs.insert(row);
        expect(await runs.findOneBy({ project: row.project })).toMatchObject({ id: row.id, name: wellFormed(text) });
        await runs.update({ project: row.project }, { name: `${text}!` });
        expect(await runs.findOneBy({ id: row.id })).toMatchObject({ name: `${wellFormed(text)}!` });
      }),
      { numRuns: 40 },
    );
  });

  it.each([
    ['Infinity', { metrics: { loss: Infinity } }, /number Infinity at metrics.loss/],
    ['NaN', { list: [1, NaN] }, /number NaN at list\[1\]/],
    ['a bigint', { n: 9007199254740993n }, /9007199254740993/],
    ['nesting without end', nested(10_000), /more than 200 levels/],
  ])('refuses %s by name, before PostgreSQL is asked', async (_, output, words) => {
    await expect(store(output)).rejects.toThrow(UnstorableValue);
    await expect(store(output)).rejects.toThrow(words);
  });

  it('takes ten megabytes, and keys of JavaScript’s own', async () => {
    const output = JSON.parse(`{"__proto__":{"a":1},"constructor":{"prototype":{}},"${'k'.repeat(5000)}":1}`) as object;
    expect(await store(output)).toEqual(output);
    const text = 'x'.repeat(10_000_000);
    expect(((await store({ text })) as { text: string }).text === text).toBe(true);
  });

  it('keeps values that come in by an update or an event too', async () => {
    const events = database.dataSource.getRepository(RunEvent);
    const row = { runId: randomUUID(), sequence: 1, eventKey: 'k\0', type: 't', data: { said: '\ud800\0' } };
    await events.insert(row);
    expect(await events.findOneByOrFail({ runId: row.runId })).toMatchObject({
      eventKey: 'k\uFFFD',
      data: { said: '\uFFFD\uFFFD' },
    });
  });
});

function mapTexts(value: unknown): unknown {
  if (typeof value === 'string') return wellFormed(value);
  if (Array.isArray(value)) return value.map(mapTexts);
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([key, part]) => [wellFormed(key), mapTexts(part)]));
}

function nested(levels: number): object {
  let value: object = {};
  for (let level = 0; level < levels; level += 1) value = { value };
  return value;
}
