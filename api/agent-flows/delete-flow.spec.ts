import { existsSync } from 'node:fs';
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import type { ArtifactStore } from '../../infra/artifacts/artifact-store.js';
import { createApiKey } from '../../infra/database/api-keys.js';
import { AgentFlow, Turn } from '../../infra/database/entities/index.js';
import { untilSomebodyWaits } from '../../infra/database/testing/lock-wait.js';
import { runCli, runCliWithAnswer } from '../../cli/testing/test-cli.js';
import { ARTIFACTS, OPERATOR } from '../dependencies.module.js';
import { everything } from '../submissions/removal/testing/owned.js';
import { RemovalsService } from '../submissions/removal/removals.service.js';
import { TestApi } from '../testing/test-api.js';
import type { AgentFlowDto } from './dto/agent-flow.dto.js';

const PNG = Buffer.from('89504e470d0a1a0a0000000d49484452', 'hex');

describe('DELETE /v1/agent_flows/:id', () => {
  let api: TestApi;
  let pictures = 0;

  beforeAll(async () => {
    api = await TestApi.start();
    const operator = api.app.get<{ language_models: Record<string, unknown> }>(OPERATOR);
    operator.language_models['seeing'] = { images: true };
  });
  afterAll(async () => api.stop());
  beforeEach(() => {
    api.workflows.goneWorkflow = { reason: 'it completed', cancelled: false };
  });

  /** A picture that nobody has asked about before. */
  const picture = () => Buffer.concat([PNG, Buffer.from(String(++pictures))]).toString('base64');
  const post = (data: string, key?: string) => {
    const flow = { verifier: { engine: 'llm', model: 'seeing' } };
    const question = { question: 'What is it?', model: 'tiny-random', flow };
    const request = api.request('post', '/v1/agent_flows');
    if (key !== undefined) void request.set('Idempotency-Key', key);
    return request.send({ ...question, images: [{ media_type: 'image/png', data }] });
  };
  const ask = async (data = picture()): Promise<string> => ((await post(data).expect(201)).body as AgentFlowDto).id;
  const rows = () => api.database.dataSource.getRepository(AgentFlow);
  const asked = async (data?: string): Promise<string> => {
    const id = await ask(data);
    await rows().update({ id }, { status: 'completed', finishedAt: new Date() });
    return id;
  };
  const fileOf = async (id: string) => fileURLToPath((await rows().findOneByOrFail({ id })).images[0].uri);
  const remove = (id: string) => api.request('delete', `/v1/agent_flows/${id}`);
  const settled = () => api.app.get(RemovalsService).proceed();

  it('takes it out of every list at once, then all of it; asked again it says that nothing is left', async () => {
    const id = await asked();
    const file = await fileOf(id);
    await api.database.dataSource.getRepository(Turn).insert({ flowId: id, turn: 1, module: 'planner', output: {} });
    await remove(id).expect(202);
    await api.request('get', `/v1/agent_flows/${id}`).expect(404);
    await settled();
    await remove(id).expect(204);
    expect(existsSync(file)).toBe(false);
    const left = await everything(api.database.dataSource, api.artifacts);
    expect(left.filter((row) => row.includes(id))).toEqual([]);
  });

  it('refuses one that has not ended, or whose workflow has not; 404 for another project’s and for none', async () => {
    const id = await ask();
    const { body } = await remove(id).expect(409);
    const message = `${id} is queued; it cannot be deleted. Cancel it first, or wait until it has ended.`;
    expect(body).toMatchObject({ error: { code: 'not_ended', message } });
    await rows().update({ id }, { status: 'failed', finishedAt: new Date() });
    api.workflows.goneWorkflow = undefined;
    expect((await remove(id).expect(409)).body).toMatchObject({ error: { code: 'still_ending' } });
    const theirs = await createApiKey(api.database.dataSource, 'theirs');
    await api.request('delete', `/v1/agent_flows/${id}`, theirs).expect(404);
    await remove('flow-none').expect(404);
  });

  it('keeps a picture that another question has, until that is deleted too', async () => {
    const data = picture();
    const [first, second] = [await asked(data), await asked(data)];
    const file = await fileOf(first);
    await remove(first).expect(202);
    await settled();
    expect((await readFile(file)).toString('base64')).toBe(data);
    await remove(second).expect(202);
    await settled();
    expect(existsSync(file)).toBe(false);
  });

  it('leaves no picture of a question that was refused', async () => {
    const id = await ask();
    await post(picture(), 'once').expect(201);
    const before = await readdir(join(api.artifacts, 'images'));
    await post(picture(), 'once').expect(409);
    expect(await readdir(join(api.artifacts, 'images'))).toEqual(before);
    expect(existsSync(await fileOf(id))).toBe(true);
  });

  it('waits for a question that is being stored with the same picture, and keeps it', async () => {
    const data = picture();
    const id = await asked(data);
    const store = api.app.get<ArtifactStore>(ARTIFACTS);
    const { exists } = store;
    let looked!: () => void;
    const looking = new Promise<void>((resolve) => (looked = resolve));
    let goOn!: () => void;
    const held = new Promise<void>((resolve) => (goOn = resolve));
    // The question has its row and has seen the picture; nothing is committed.
    store.exists = async (uri) => {
      const stands = await exists.call(store, uri);
      looked();
      await held;
      return stands;
    };
    try {
      const asking = ask(data);
      await looking;
      await remove(id).expect(202);
      await untilSomebodyWaits(api.database.dataSource);
      goOn();
      const file = await fileOf(await asking);
      await settled();
      expect((await readFile(file)).toString('base64')).toBe(data);
    } finally {
      store.exists = exists;
    }
  });

  it('stores a picture again that goes between its file and its row', async () => {
    const data = picture();
    const id = await asked(data);
    const store = api.app.get<ArtifactStore>(ARTIFACTS);
    const { writeFile } = store;
    // The question has found the picture there; then its only other owner is deleted.
    store.writeFile = async (...written) => {
      const stored = await writeFile.apply(store, written);
      store.writeFile = writeFile;
      await remove(id).expect(202);
      await settled();
      return stored;
    };
    const file = await fileOf(await ask(data));
    expect((await readFile(file)).toString('base64')).toBe(data);
  });

  it('property: however deletions and questions with one picture meet, it stands while a question has it', async () => {
    await fc.assert(
      fc.asyncProperty(fc.integer({ min: 1, max: 3 }), fc.integer({ min: 1, max: 3 }), async (olds, news) => {
        const data = picture();
        const old: string[] = [];
        for (let i = 0; i < olds; i++) old.push(await asked(data));
        const file = await fileOf(old[0]);
        const asking = Array.from({ length: news }, () => asked(data));
        await Promise.all(old.map((id) => remove(id).expect(202)));
        const ids = await Promise.all(asking);
        await settled();
        expect((await readFile(file)).toString('base64')).toBe(data);
        await Promise.all(ids.map((id) => remove(id).expect(202)));
        await settled();
        expect(existsSync(file)).toBe(false);
      }),
      { numRuns: 12 },
    );
  });

  it('agentflow solve --id … --delete asks, and deletes when the id is typed, or with --yes', async () => {
    const [id, other] = [await asked(), await asked()];
    const access = { url: api.url, key: api.key };
    const typed = (answer: string | undefined) => runCliWithAnswer(answer, access, 'solve', '--id', id, '--delete');
    await expect(typed(undefined)).rejects.toThrow('Nothing was deleted: there is no terminal to ask on.');
    await expect(typed('yes')).rejects.toThrow(`Nothing was deleted: the answer is not ${id}.`);
    expect((await typed(`${id}\n`)).lines[0]).toBe(`This deletes ${id} for good: “What is it?”, completed.`);
    await api.request('get', `/v1/agent_flows/${id}`).expect(404);
    const { lines } = await runCli(access, 'solve', '--id', other, '--delete', '--yes');
    expect(lines[0]).toMatch(`Deleted ${other}.`);
    await expect(runCli(access, 'solve', '--delete')).rejects.toThrow();
  });
});
