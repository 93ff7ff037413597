import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { TestApi } from '../api/testing/test-api.js';
import { Checkpoint, TrainingStep } from '../infra/database/entities/index.js';
import { stepAnswers } from '../infra/database/testing/step-answers.js';
import type { CliContext } from './context.js';
import { leavesOf } from './examples.js';
import { createProgram } from './program.js';
import { runCli } from './testing/test-cli.js';

/** Names of what there is, by where it comes from: no list of the API, and without a cursor. */
const OTHERWISE = ['datasets list'];

interface Ids {
  run: string;
  webhook: string;
  evaluation: string;
}

/** They list something with an option, or beside what they show. */
const BESIDES = ['runs answers', 'eval'];
/** Every command that lists something, with what its words stand for in the test's API. */
const LISTS: Record<string, (ids: Ids) => string[]> = {
  'runs list': () => [],
  'runs answers': ({ run }) => [run],
  steps: ({ run }) => [run],
  'rollouts list': ({ run }) => [run],
  'policies list': ({ run }) => [run],
  'exports list': () => [],
  checkpoints: ({ run }) => [run],
  eval: ({ evaluation }) => ['--id', evaluation, '--answers'],
  'keys list': () => [],
  'projects list': () => [],
  audit: () => [],
  'webhooks list': () => [],
  'webhooks deliveries': ({ webhook }) => [webhook],
};

it('every command that lists something is known here', () => {
  const program = createProgram({} as CliContext);
  const commands = [...leavesOf(program), ...program.commands.map((command) => ({ path: command.name(), command }))];
  const listing = commands.filter(
    ({ path, command }) =>
      /(^| )list$/.test(path) ||
      (/^List /.test(command.description()) && command.options.some(({ long }) => long === '--json')),
  );
  const known = [...Object.keys(LISTS), ...OTHERWISE].filter((path) => !BESIDES.includes(path));
  expect([...new Set(listing.map(({ path }) => path))].toSorted()).toEqual(known.toSorted());
});

describe('--json of a list', () => {
  let api: TestApi;
  let ids: Ids;

  beforeAll(async () => {
    api = await TestApi.start();
    const send = async (path: string, body: object): Promise<string> =>
      ((await api.request('post', `/v1/${path}`).send(body).expect(201)).body as { id: string }).id;
    const run = await send('training_runs', { model: 'tiny-random', steps: 2 });
    await api.commitPolicy(run, 0, 'a'.repeat(64));
    await api.commitPolicy(run, 1, 'b'.repeat(64));
    const { dataSource } = api.database;
    for (const step of [1, 2]) {
      const row = { runId: run, step };
      const answers = stepAnswers();
      await dataSource.getRepository(TrainingStep).insert({ ...row, policySha256: 'b', metrics: {}, answers });
      await dataSource.getRepository(Checkpoint).insert({ ...row, sha256: 'b', uri: 'file:///c', bytes: 1 });
    }
    await send(`policies/${run}@1/export`, {});
    const webhook = await send('webhooks', { url: 'https://receiver.test/' });
    await send(`webhooks/${webhook}/test`, {});
    const benchmarks = [{ name: 'atlas', questions: 1 }];
    const evaluation = await send('evaluations', { model: 'tiny-random', benchmarks, policies: ['base'] });
    ids = { run, webhook, evaluation };
  });
  afterAll(async () => api.stop());

  it.each(Object.entries(LISTS))('of `agentflow %s` has the shape of a page of the API', async (path, argsOf) => {
    const { lines } = await runCli({ url: api.url, key: api.key }, ...path.split(' '), ...argsOf(ids), '--json');
    const list = JSON.parse(lines.join('\n')) as { data: unknown[] };
    expect(list).toEqual({
      object: 'list',
      data: expect.any(Array),
      has_more: false,
      first_id: list.data.length === 0 ? null : expect.any(String),
      last_id: list.data.length === 0 ? null : expect.any(String),
    });
  });

  it('that is read whole has the ids that the API gives', async () => {
    const listed: [string[], string][] = [
      [['policies', 'list', ids.run], `/v1/policies?run_id=${ids.run}&has_files=true`],
      [['keys', 'list'], '/v1/keys'],
      [['projects', 'list'], '/v1/projects'],
      [['webhooks', 'list'], '/v1/webhooks'],
      [['exports', 'list'], '/v1/exports'],
      [['webhooks', 'deliveries', ids.webhook], `/v1/webhooks/${ids.webhook}/deliveries`],
      [['steps', ids.run], `/v1/training_runs/${ids.run}/steps`],
      [['checkpoints', ids.run], `/v1/training_runs/${ids.run}/checkpoints`],
    ];
    for (const [args, path] of listed) {
      const { lines } = await runCli({ url: api.url, key: api.key }, ...args, '--json');
      const { data, ...shape } = JSON.parse(lines.join('\n')) as { data: object[] };
      const { data: expected, ...page } = (await api.request('get', path).expect(200)).body as { data: object[] };
      expect([args, shape, data.length]).toEqual([args, page, expected.length]);
    }
  });
});
