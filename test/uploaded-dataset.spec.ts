import { existsSync, readdirSync, readFileSync, statSync, utimesSync } from 'node:fs';
import { connect } from 'node:net';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it, jest } from '@jest/globals';
import { jsonLines } from '../activities/datasets/testing/files.js';
import type { DatasetWithCheck } from '../cli/client/api-types.js';
import type { ApiClient } from '../cli/client/api-client.js';
import { SupervisedStack, until } from './support/supervised-stack.js';

jest.setTimeout(600_000);

const TYPE = 'application/jsonl';
const ROWS = Array.from({ length: 6 }, (_, i) => ({
  question: `What is ${i + 2} times 12?`,
  answer: `${(i + 2) * 12}`,
}));
/** So many questions that a check can be caught in the middle. */
const MANY = Array.from({ length: 20_000 }, (_, i) => ({ question: `What is ${i} plus 7?`, answer: `${i + 7}` }));

describe('a dataset that a project uploads', () => {
  const stack = new SupervisedStack();
  let client: ApiClient;

  beforeAll(async () => {
    await stack.start();
    client = await stack.client();
  });
  afterAll(() => stack.remove());

  it('is checked, trained on and evaluated on, and its bytes stay until nothing names it', async () => {
    await upload('times', ROWS, 2);
    const { upload: is, trainable, held_out } = await checked('times');
    expect({ is, trainable, held_out }).toMatchObject({
      is: { status: 'ready', training: 4, held_out: 2, mistakes: 0 },
      trainable: true,
      held_out: true,
    });
    const rows = await client.previewDataset('times');
    expect(rows.map(({ question, answers }) => ({ question, answer: answers[0] }))).toEqual(ROWS);
    expect(files()).toEqual([`${is!.sha256}.jsonl`]);

    const run = await train('times');
    const trained = await client.listRollouts({ run_id: run, purpose: 'train' });
    expect(trained).toHaveLength(4);
    expect(questionsOf(rows, 'training')).toEqual(expect.arrayContaining(trained.map(({ question }) => question)));
    const evaluation = await evaluate('times', `${run}@1`);
    const asked = (await client.listAnswers(evaluation)).map(({ question }) => question);
    expect(asked.toSorted()).toEqual(questionsOf(rows, 'held_out').toSorted());

    for (const user of [run, evaluation]) await expect(client.deleteDataset('times')).rejects.toThrow(user);
    await client.deleteEvaluation(evaluation);
    await expect(client.deleteDataset('times')).rejects.toThrow(run);
    await client.deleteRun(run);
    await client.deleteDataset('times');
    expect(files()).toEqual([]);
    await expect(client.getDataset('times')).rejects.toThrow(/There is no dataset "times"/);
  });

  it('is not there if the API is killed while it comes, and can be uploaded again', async () => {
    const whole = jsonLines(ROWS);
    const half = await beginUpload('cut', whole);
    await killApi();
    half.destroy();
    expect(await uploads()).toEqual([]);

    await upload('cut', ROWS);
    const { upload: is } = await checked('cut');
    expect(is).toMatchObject({ status: 'ready', bytes: Buffer.byteLength(whole) });
    const [left] = files().filter((name) => name.startsWith('.receiving-'));
    // As if the time of an upload that goes on were long over.
    utimesSync(join(directory(), left), 0, 0);
    await killApi();
    await until('the half that came is swept up', () => Promise.resolve(files().length === 1));
    expect(files()).toEqual([`${is!.sha256}.jsonl`]);
    expect(await uploads()).toEqual(['cut']);
    await client.deleteDataset('cut');
    expect(files()).toEqual([]);
  });

  it('is checked to the same result if the agent worker is killed in the middle', async () => {
    await upload('many', MANY, 100);
    const undisturbed = resultOf(await checked('many'));
    const rows = await client.previewDataset('many');
    await client.deleteDataset('many');

    await upload('many', MANY, 100);
    await until('the file is being read', () => Promise.resolve(readers().length === 1), 5);
    const [reader] = readers();
    process.kill(reader, 'SIGSTOP'); // it has no end of its own now
    expect((await client.getDataset('many')).upload).toMatchObject({ status: 'checking' });
    process.kill(stack.pid('agent-worker'), 'SIGKILL');
    await until('the reader has ended with its worker', () => Promise.resolve(!readers().includes(reader)));

    expect(resultOf(await checked('many'))).toEqual(undisturbed);
    expect(undisturbed.upload).toMatchObject({ status: 'ready', training: MANY.length - 100, held_out: 100 });
    expect(await client.previewDataset('many')).toEqual(rows);
    await client.deleteDataset('many');
  });

  const directory = () => join(stack.data, 'artifacts/datasets');
  const files = () => (existsSync(directory()) ? readdirSync(directory()) : []);

  async function upload(name: string, rows: object[], held_out = 0): Promise<void> {
    await client.uploadDataset({ name, held_out }, { content: new Blob([jsonLines(rows)]), contentType: TYPE });
  }

  async function checked(name: string): Promise<DatasetWithCheck> {
    await until(`${name} is checked`, async () => (await client.getDataset(name)).upload?.status !== 'checking');
    return client.getDataset(name);
  }

  async function uploads(): Promise<string[]> {
    return (await client.listDatasets()).flatMap(({ id, kind }) => (kind === 'uploaded' ? [id] : []));
  }

  /** A run of one step, to its end. */
  async function train(name: string): Promise<string> {
    const configuration = {
      model: 'tiny-random',
      steps: 1,
      dataset: { name },
      training: { queries_per_step: 2, group_size: 2 },
      evaluation: { questions: 2, yardsticks: false },
    };
    const { id } = await client.createRun({ body: JSON.stringify(configuration), contentType: 'application/json' });
    await until('the run has ended', async () => ENDS.has((await client.getRun(id)).status));
    expect(await client.getRun(id)).toMatchObject({ status: 'completed', step: 1 });
    return id;
  }

  async function evaluate(name: string, policy: string): Promise<string> {
    const body = JSON.stringify({ model: 'tiny-random', policies: [policy], benchmarks: [{ name }] });
    const { id } = await client.createEvaluation({ body, contentType: 'application/json' });
    await until('the evaluation has ended', async () => ENDS.has((await client.getEvaluation(id)).status));
    expect(await client.getEvaluation(id)).toMatchObject({ status: 'completed', flows: 2 });
    return id;
  }

  /** Sends half of a file, and comes back when it lies in the artifact store. */
  async function beginUpload(name: string, whole: string) {
    const { url, key } = client.access;
    const { hostname, port } = new URL(url);
    const socket = connect(Number(port), hostname).on('error', () => undefined);
    const half = whole.slice(0, whole.length / 2);
    socket.write(
      `POST /v1/datasets?name=${name} HTTP/1.1\r\nHost: ${hostname}\r\nAuthorization: Bearer ${key}\r\n` +
        `Content-Type: ${TYPE}\r\nContent-Length: ${whole.length}\r\n\r\n${half}`,
    );
    const has = () => files().some((file) => statSync(join(directory(), file)).size === half.length);
    await until('half of the file is there', () => Promise.resolve(has()));
    return socket;
  }

  /** SIGKILL to the API; the supervisor starts another one. */
  async function killApi(): Promise<void> {
    const killed = stack.pid('api');
    process.kill(killed, 'SIGKILL');
    const isBack = () => stack.pid('api') !== killed && client.listDatasets().then(Boolean, () => false);
    await until('the API is back', async () => isBack());
  }

  /** The processes that read a file of this stack. */
  function readers(): number[] {
    const pids = readdirSync('/proc').filter((name) => /^\d+$/.test(name));
    return pids.map(Number).filter((pid) => {
      const line = commandLine(pid);
      return line.includes('read-upload.js') && line.includes(directory());
    });
  }
});

const ENDS = new Set(['completed', 'failed', 'cancelled', 'paused']);

function questionsOf(rows: { question: string; split: string }[], split: 'training' | 'held_out'): string[] {
  return rows.flatMap((row) => (row.split === split ? [row.question] : []));
}

/** All but which upload it was, and when. */
function resultOf({ upload, check }: DatasetWithCheck) {
  return { check, upload: { ...upload, id: '', created_at: '', checked_at: '' } };
}

/** Empty of a process that has ended. */
function commandLine(pid: number): string {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, 'utf8');
  } catch {
    return '';
  }
}
