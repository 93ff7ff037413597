import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { TestApi } from '../../../api/testing/test-api.js';
import { sha256Hex } from '../../../infra/artifacts/sha256.js';
import { UploadedDataset } from '../../../infra/database/entities/index.js';
import { runCli, runCliWithAnswer } from '../../testing/test-cli.js';

const CSV = 'Question,Answer,Alias\nWho?,Ada,Lovelace\n';

describe('agentflow datasets of a project', () => {
  let api: TestApi;
  let directory: string;
  let file: string;

  beforeAll(async () => {
    api = await TestApi.start();
    directory = await mkdtemp(join(tmpdir(), 'agentflow-cli-upload-'));
    file = join(directory, 'people.csv');
    await writeFile(file, CSV);
  });
  afterAll(async () => {
    await api?.stop();
    await rm(directory, { recursive: true });
  });

  const cli = (...args: string[]) => runCli({ url: api.url, key: api.key }, 'datasets', ...args);
  const rows = () => api.database.dataSource.getRepository(UploadedDataset);
  const refuse = () =>
    rows().update(
      { name: 'people', status: 'checking' },
      {
        status: 'refused',
        mistakes: { count: 3, first: [{ row: 2, place: 'line 3', column: 'Answer', message: 'has no Answer' }] },
        preview: [
          { question: 'Who?', answers: ['Ada', 'Lovelace'], family: 'people', choices: null, split: 'training' },
        ],
        checkedAt: new Date(),
      },
    );

  it('sends a file with its columns, waits for the check, and names the mistakes', async () => {
    const looks = setInterval(() => void refuse(), 100);
    const columns = 'question=Question,answer=Answer,answer=Alias';
    const { lines, exitCode } = await cli('upload', file, '--name', 'people', '--columns', columns, '--wait');
    clearInterval(looks);
    expect(exitCode).toBe(1);
    expect(lines).toEqual([
      'people: uploaded, answers: text',
      `  refused, ${CSV.length} bytes, sha256 ${sha256Hex(CSV).slice(0, 12)}`,
      '  3 mistakes:',
      '    line 3, column Answer: has no Answer',
      '    2 more',
    ]);
    const row = await rows().findOneByOrFail({ name: 'people' });
    expect(row).toMatchObject({
      format: 'csv',
      layout: { columns: { question: 'Question', answer: ['Answer', 'Alias'] } },
    });
  });

  it('shows, previews and lists it, also as JSON', async () => {
    expect((await cli('show', 'atlas')).lines[0]).toBe('atlas: computed');
    expect(JSON.parse((await cli('show', 'people', '--json')).lines.join(''))).toMatchObject({ id: 'people' });
    const preview = (await cli('preview', 'people')).lines;
    expect(preview[1]).toMatch(/^1 +training +people +Who\? +Ada \| Lovelace/);
    const list = JSON.parse((await cli('preview', 'people', '--json')).lines.join('')) as { data: object[] };
    expect(list.data).toMatchObject([{ row: 1, answers: ['Ada', 'Lovelace'] }]);
    expect((await cli('list')).lines.at(-1)).toBe('Uploaded: people, refused');
  });

  it('says of one that is being checked, or holds no question, that there is nothing to preview', async () => {
    await cli('upload', file, '--name', 'new');
    await expect(cli('preview', 'new')).rejects.toThrow(/"new" is being checked/);
    await rows().update({ name: 'new' }, { status: 'refused', preview: [] });
    await expect(cli('preview', 'new')).rejects.toThrow(/No question of "new" could be read\..* datasets show new/);
    await cli('delete', 'new', '--yes');
  });

  it('is sent again, with the same key, if the API goes away before it has answered', async () => {
    const keys: (string | undefined)[] = [];
    const broken = createServer((request, response) => {
      keys.push(request.headers['idempotency-key']?.toString());
      if (keys.length < 3) return void request.socket.destroy();
      request.resume().on('end', () => {
        response.writeHead(201, { 'content-type': 'application/json' });
        response.end(JSON.stringify({ object: 'dataset', id: 'people', kind: 'uploaded', upload: null }));
      });
    }).listen(0, '127.0.0.1');
    await once(broken, 'listening');
    const url = `http://127.0.0.1:${(broken.address() as AddressInfo).port}`;
    await runCli({ url, key: api.key }, 'datasets', 'upload', file, '--name', 'people', '--json');
    broken.close().closeAllConnections();
    expect(keys).toEqual([expect.stringMatching(/./), keys[0], keys[0]]);
  });

  it('is deleted after a question, and refuses what cannot be', async () => {
    const access = { url: api.url, key: api.key };
    await expect(cli('upload', join(directory, 'people.xlsx'), '--name', 'x')).rejects.toThrow(/is none of \.jsonl/);
    await expect(cli('upload', join(directory, 'none.csv'), '--name', 'x')).rejects.toThrow(
      /none\.csv cannot be read\. There is no such file\.$/,
    );
    await mkdir(join(directory, 'folder.csv'));
    await expect(cli('upload', join(directory, 'folder.csv'), '--name', 'x')).rejects.toThrow(/is not a file/);
    await expect(cli('upload', file, '--name', 'people')).rejects.toThrow(/there is a dataset "people" already/);
    await expect(runCliWithAnswer('no', access, 'datasets', 'delete', 'people')).rejects.toThrow(/Nothing was deleted/);
    expect((await runCliWithAnswer('people', access, 'datasets', 'delete', 'people')).lines.at(-1)).toBe(
      'Deleted people.',
    );
    await expect(cli('delete', 'people', '--yes')).rejects.toThrow(/There is no dataset "people"/);
  });
});
