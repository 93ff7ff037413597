import { spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it, jest } from '@jest/globals';
import { Client, Connection } from '@temporalio/client';
import type { ApiClient } from '../cli/client/api-client.js';
import type { TrainingRun } from '../cli/client/api-types.js';
import { PROJECT_ROOT } from '../infra/config/project-root.js';
import { createDataSource } from '../infra/database/data-source.js';
import { LIFELINE_VARIABLE } from '../infra/processes/lifeline.js';
import { SupervisedStack, until } from './support/supervised-stack.js';

jest.setTimeout(600_000);

/** The quickstart in small: the same model, world and code. */
const CONFIG = {
  name: 'durability',
  model: 'smollm2-135m-instruct',
  seed: 5,
  dataset: { families: { arithmetic: 1, lookup: 1, 'two-hop': 2 } },
  training: {
    queries_per_step: 2,
    group_size: 4,
    learning_rate: 2e-4,
    entropy_coefficient: 0.001,
    aggregation: 'token-mean',
  },
  evaluation: { questions: 4, yardsticks: false },
};
/** One for each part that is killed. */
const STEPS = 6;

describe('I5: a training run killed anywhere ends with the same policy', () => {
  const stack = new SupervisedStack();
  let client: ApiClient;
  let undisturbed: TrainingRun;

  beforeAll(async () => {
    await stack.start();
    client = await stack.client();
    undisturbed = await finished(client, await submit(client, STEPS));
  });
  afterAll(() => stack.remove());

  it('has a policy that moves at every step, or equal bytes would prove nothing', async () => {
    expect(undisturbed.status).toBe('completed');
    const shas = (await client.listSteps(undisturbed.id)).map((step) => step.policy_sha256);
    expect(new Set(shas).size).toBe(STEPS);
  });

  it('kill -9 of every part, one in each step', async () => {
    const run = await submit(client, STEPS);
    const killed: string[] = [];
    for (const [step, name, moment] of [
      [1, 'policy-server', sampling],
      [2, 'trainer', gradientStep],
      [3, 'agent-worker', sampling],
      [4, 'api', sampling],
      [5, 'temporal', sampling],
      [6, 'postgres', sampling],
    ] as const) {
      await moment(stack, run.id, step);
      process.kill(stack.pid(name), 'SIGKILL');
      killed.push(name);
    }
    const ended = await finished(client, run);
    expect(killed).toHaveLength(STEPS);
    expect(ended.status).toBe('completed');
    expect(ended.policy_sha256).toBe(undisturbed.policy_sha256);
    expect(optimiserSha256(stack, run.id, STEPS)).toBe(optimiserSha256(stack, undisturbed.id, STEPS));
    await expectNoRequestForACommittedTurn(stack, run.id);
  });

  it('I4: a trainer stopped past its heartbeat and continued changes nothing: one committed step, equal bytes', async () => {
    const run = await submit(client, 3);
    await gradientStep(stack, run.id, 1);
    const first = stack.pid('trainer');
    process.kill(first, 'SIGSTOP');
    const second = startTrainer(stack);
    try {
      await until('the run tells that a trainer is lost', async () => (await losses(client, run.id)).length > 0);
      expect((await losses(client, run.id))[0]).toMatchObject({
        kind: 'trainer',
        identity: expect.stringMatching(`^${first}@`),
      });
      await until('the second trainer has finished the step', async () => (await client.getRun(run.id)).step >= 1);
      process.kill(first, 'SIGCONT');
      const ended = await finished(client, run);
      expect(ended.status).toBe('completed');
      expect(await committed(stack, run.id)).toEqual((await committed(stack, undisturbed.id)).slice(0, 4));
    } finally {
      second.kill('SIGKILL');
    }
  });

  it('a workflow terminated by hand in the middle of a step, and revived: the run goes on to equal bytes', async () => {
    const run = await submit(client, 3);
    await sampling(stack, run.id, 2);
    await terminate(stack, run.id);
    const terminatedAt = Date.now();
    expect((await client.act(run.id, 'revive')).id).toBe(run.id);
    const ended = await finished(client, run);
    expect(ended.status).toBe('completed');
    expect(await committed(stack, run.id)).toEqual((await committed(stack, undisturbed.id)).slice(0, 4));
    // A call that the workflow left running when it was terminated may race with the new workflow's for the same turn.
    await expectNoRequestForACommittedTurn(stack, run.id, terminatedAt);
  });

  it('SIGKILL of the supervisor with everything under it, then a start: the run goes on to equal bytes', async () => {
    const run = await submit(client, 3);
    await sampling(stack, run.id, 2);
    await stack.killEverything();
    await stack.start();
    client = await stack.client();
    const ended = await finished(client, run);
    expect(ended.status).toBe('completed');
    expect(await committed(stack, run.id)).toEqual((await committed(stack, undisturbed.id)).slice(0, 4));
    await expectNoRequestForACommittedTurn(stack, run.id);
  });
});

/** What a run tells of workers that are gone. */
async function losses(client: ApiClient, id: string) {
  return (await client.listEvents(id)).filter(({ type }) => type === 'worker.lost').map(({ data }) => data);
}

async function submit(client: ApiClient, steps: number): Promise<TrainingRun> {
  return client.createRun({ body: JSON.stringify({ ...CONFIG, steps }), contentType: 'application/json' });
}

async function finished(client: ApiClient, { id }: TrainingRun): Promise<TrainingRun> {
  const over = (status: string) => ['completed', 'failed', 'cancelled', 'paused'].includes(status);
  await until(`${id} is finished`, async () => over((await patient(() => client.getRun(id))).status), 250);
  return client.getRun(id);
}

/** While the API itself is down there is no answer: ask again. */
async function patient<T>(ask: () => Promise<T>): Promise<T> {
  for (;;) {
    try {
      return await ask();
    } catch {
      await sleep(200);
    }
  }
}

/** Rollouts of the step have begun to ask the policy server. */
async function sampling(stack: SupervisedStack, runId: string, step: number): Promise<void> {
  const mine = () => stack.requests().filter(({ flow_id }) => flow_id?.startsWith(`${runId}/${step}/`));
  await until(`step ${step} samples`, () => Promise.resolve(mine().length >= 2), 20);
}

/** The step's batch is frozen and its policy is not committed: the trainer works on it. */
async function gradientStep(stack: SupervisedStack, runId: string, step: number): Promise<void> {
  const frozen = () => rows(stack, `SELECT 1 FROM batches WHERE run_id = $1 AND step = ${step}`, runId);
  await until(`step ${step} is at the trainer`, async () => (await frozen()).length === 1);
  await sleep(1000);
  expect(await committed(stack, runId)).toHaveLength(step);
}

/** One beside the stack's own, which no supervisor watches. */
function startTrainer(stack: SupervisedStack) {
  const python = join(PROJECT_ROOT, 'worker/gpu/.venv/bin/python');
  const entries = readFileSync(`/proc/${stack.pid('trainer')}/environ`, 'utf8')
    .split('\0')
    .filter(Boolean);
  const env = Object.fromEntries(entries.map((entry) => entry.split(/=(.*)/s).slice(0, 2))) as NodeJS.ProcessEnv;
  delete env[LIFELINE_VARIABLE]; // it names a file descriptor of the stack's own trainer
  return spawn(python, ['-m', 'flow_grpo.trainer'], {
    cwd: join(PROJECT_ROOT, 'worker/gpu'),
    env,
    stdio: 'ignore',
  });
}

async function rows<T>(stack: SupervisedStack, sql: string, runId: string): Promise<T[]> {
  const dataSource = await createDataSource(stack.urls!.database, 'command', 1).initialize();
  try {
    return await dataSource.query<T[]>(sql, [runId]);
  } finally {
    await dataSource.destroy();
  }
}

/** As somebody does in the Temporal UI. */
async function terminate(stack: SupervisedStack, runId: string): Promise<void> {
  const connection = await Connection.connect({ address: stack.urls?.temporal });
  try {
    await new Client({ connection }).workflow.getHandle(runId).terminate('by hand');
  } finally {
    await connection.close();
  }
}

async function committed(stack: SupervisedStack, runId: string): Promise<{ step: number; sha256: string }[]> {
  return rows(stack, 'SELECT step, sha256 FROM policies WHERE run_id = $1 ORDER BY step', runId);
}

/**
 * I3: what the policy server was asked after a turn was committed cannot have been for that turn.
 * @param before only turns that were committed before this time, in milliseconds since the epoch
 */
async function expectNoRequestForACommittedTurn(
  stack: SupervisedStack,
  runId: string,
  before = Infinity,
): Promise<void> {
  const turns = await rows<{ flow_id: string; turn: number; created_at: Date }>(
    stack,
    `SELECT flow_id, turn, created_at FROM turns WHERE flow_id LIKE $1 || '/%' AND module = 'planner'`,
    runId,
  );
  const early = turns.filter((turn) => turn.created_at.getTime() < before);
  expect(early.length).toBeGreaterThan(0);
  const committedAt = new Map(early.map((turn) => [`${turn.flow_id}#${turn.turn}`, turn.created_at.getTime()]));
  const requests = stack.requests().filter(({ flow_id }) => flow_id?.startsWith(`${runId}/`));
  expect(requests.length).toBeGreaterThanOrEqual(turns.length);
  const late = requests.filter(({ flow_id, turn, time }) => {
    const at = committedAt.get(`${flow_id}#${turn}`);
    return at !== undefined && Date.parse(time) > at;
  });
  expect(late).toEqual([]);
}

/** sha256 of the optimiser state in a checkpoint. */
function optimiserSha256(stack: SupervisedStack, runId: string, step: number): string {
  const checkpoint = join(stack.data, 'artifacts/runs', runId, 'checkpoints', String(step).padStart(6, '0'));
  return createHash('sha256')
    .update(readFileSync(join(checkpoint, 'optimizer.safetensors')))
    .digest('hex');
}
