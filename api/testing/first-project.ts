import type { Test } from 'supertest';
import { newApiKey } from '../../infra/database/api-keys.js';
import {
  ApiKey,
  AuditEntry,
  Rollout,
  TrainingRun,
  UploadedDataset,
  UsageEntry,
} from '../../infra/database/entities/index.js';
import { trainingRunRow } from '../../infra/database/testing/training-run-row.js';
import { rolloutRow } from '../../infra/database/testing/rollout-row.js';
import { until } from '../../test/support/started-run.js';
import type { TestApi } from './test-api.js';

const SHA = 'a'.repeat(64);
const QUESTION = 'What is 1 plus 1?';
const RUN = { model: 'tiny-random', steps: 1 };
const WEBHOOK = { url: 'https://receiver.test/events' };
const BENCHMARKS = [{ name: 'atlas', questions: 1 }];

/** A file that is uploaded, in the place of a body of JSON: `held_out` and the like are in the query. */
class FileBody {
  readonly type = 'application/jsonl';

  constructor(
    readonly query: object,
    readonly text = '{"question":"What is 1 plus 1?","answer":"2"}\n',
  ) {}
}

/** Sends a body as its route takes it. */
export function sending(request: Test, body: object): Test {
  if (!(body instanceof FileBody)) return request.send(body);
  return request.query(body.query).set('Content-Type', body.type).send(body.text);
}

/** An id of what is in each list of the API, by the path of the list. */
export type Ids = Record<string, string>;

/**
 * Bodies that the routes which create something accept, two each. A new one is added here: the tests that are generated
 * from the description ask for it.
 */
export const CREATES: Record<string, readonly [object, object]> = {
  'post /v1/projects': [{ id: 'one' }, { id: 'two' }],
  'post /v1/keys': [
    { name: 'one', scopes: ['read'] },
    { name: 'two', scopes: ['read'] },
  ],
  'post /v1/training_runs': [RUN, { ...RUN, steps: 2 }],
  'post /v1/training_runs/{id}/fork': [{}, { overrides: { steps: 2 } }],
  'post /v1/policies/{id}/export': [{}, { merged: true }],
  'post /v1/evaluations': [
    { model: 'tiny-random', benchmarks: BENCHMARKS, policies: ['base'] },
    { model: 'tiny-random', benchmarks: BENCHMARKS, policies: ['base'], seed: 1 },
  ],
  'post /v1/agent_flows': [{ question: QUESTION }, { question: 'What is 1 plus 2?' }],
  'post /v1/webhooks': [WEBHOOK, { ...WEBHOOK, events: ['run.completed'] }],
  'post /v1/datasets': [new FileBody({ name: 'one' }), new FileBody({ name: 'one', held_out: 1 })],
};

/** What is sent to a route below an id that takes no empty body. */
export const BODIES: Record<string, object> = {
  'post /v1/training_runs/{id}/learning_rate': { learning_rate: 1e-5 },
  'post /v1/training_runs/{id}/extend': { steps: 9 },
  'post /v1/training_runs/{id}/decide': { kind: 'skip-step' },
};

/** Something in every list, in the project `default`. A new list is added here. */
export async function fillLists(api: TestApi): Promise<Ids> {
  const { dataSource } = api.database;
  const run = trainingRunRow();
  await dataSource.getRepository(TrainingRun).insert(run);
  const policy = await api.commitPolicy(run.id, 0, SHA);
  await dataSource.getRepository(Rollout).insert(rolloutRow(run.id, 1, 0, { policySha256: SHA }));
  await dataSource
    .getRepository(UsageEntry)
    .insert({ project: 'default', submission: run.id, at: new Date(), kind: 'trainer', seconds: 1 });
  const key = newApiKey('default', { name: 'unused', scopes: ['read'], expiresAt: null }).row;
  await dataSource.getRepository(ApiKey).insert(key);
  const create = async (path: string, body: object): Promise<string> =>
    ((await sending(api.request('post', path), body).expect(201)).body as { id: string }).id;
  const evaluation = { model: 'tiny-random', benchmarks: BENCHMARKS, policies: ['base', policy] };
  const flow = await create('/v1/agent_flows', { question: QUESTION, policy });
  const uploaded = await create('/v1/datasets', new FileBody({ name: 'uploaded-1' }));
  await dataSource.getRepository(UploadedDataset).update({ name: uploaded }, { status: 'ready', preview: [] });
  const told = await create('/v1/webhooks', WEBHOOK);
  // An event is written when it is known that what it tells of was committed: a little later.
  await until(async () => (await api.request('get', '/v1/events').expect(200)).text.includes(flow));
  return {
    '/v1/projects': 'default',
    '/v1/keys': key.id,
    '/v1/training_runs': run.id,
    '/v1/rollouts': `${run.id}/1/0/0`,
    '/v1/policies': policy,
    '/v1/exports': await create(`/v1/policies/${policy}/export`, {}),
    '/v1/groups': `${run.id}/1/0`,
    '/v1/evaluations': await create('/v1/evaluations', evaluation),
    '/v1/agent_flows': flow,
    // An event is found by what it tells of.
    '/v1/events': flow,
    // What was used is found by what it was used for.
    '/v1/usage': run.id,
    // A delivery of another webhook than the listed one.
    '/v1/webhook_deliveries': await create(`/v1/webhooks/${told}/test`, {}),
    '/v1/datasets': uploaded,
    '/v1/webhooks': await create('/v1/webhooks', WEBHOOK),
    '/openai/v1/models': policy,
    '/v1/audit_log': (await dataSource.getRepository(AuditEntry).findOneByOrFail({ project: 'default' })).id,
  };
}

/** Bodies by which the routes that create something name what is in a list: all are to be refused for another project. */
export const NAMING: Record<string, (ids: Ids) => object[]> = {
  'post /v1/projects': () => [],
  // It takes no body: the link is of the key that asks.
  'post /v1/sign_in_links': () => [],
  'post /v1/keys': ({ '/v1/projects': project }) => [{ name: 'one', scopes: ['read'], project }],
  'post /v1/training_runs': ({ '/v1/training_runs': run, '/v1/datasets': dataset }) => [
    { ...RUN, dataset: { name: dataset } },
    { ...RUN, from: { policy: `${run}@0` } },
    { ...RUN, training: { kl: { reference: `${run}@0` } } },
    { ...RUN, training: { objective: 'sft', trajectories: { run } } },
  ],
  'post /v1/evaluations': ({ '/v1/training_runs': run, '/v1/datasets': dataset }) => [
    { model: 'tiny-random', benchmarks: [{ name: dataset }] },
    { model: 'tiny-random', benchmarks: BENCHMARKS, policies: ['base', `${run}@0`] },
  ],
  'post /v1/webhooks': () => [],
  'post /v1/datasets': () => [],
  'post /v1/agent_flows': ({ '/v1/training_runs': run }) => [{ question: QUESTION, policy: `${run}@0` }],
  'post /openai/v1/chat/completions': ({ '/v1/training_runs': run }) =>
    [`${run}@0`, `policy:${run}@0`].map((model) => ({ model, messages: [{ role: 'user', content: QUESTION }] })),
  'post /openai/v1/responses': ({ '/v1/training_runs': run }) => [{ model: `${run}@0`, input: QUESTION }],
};
