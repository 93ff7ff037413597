import { afterAll, afterEach, beforeAll, describe, expect, it, jest } from '@jest/globals';
import type { TrainingRun } from '../cli/client/api-types.js';
import type { ApiClient } from '../cli/client/api-client.js';
import { createDataSource } from '../infra/database/data-source.js';
import { identify } from '../infra/local/process-identity.js';
import { readStackRecord } from '../infra/local/stack-record.js';
import { connectClient, type ConnectedClient } from '../infra/temporal/connection.js';
import { Ballast } from './support/ballast.js';
import { mostAtOnce } from './support/most-at-once.js';
import { SupervisedStack, until } from './support/supervised-stack.js';

jest.setTimeout(600_000);

const MIB = 1024 * 1024;
/** In all of the disk that the log of the supervisor still takes some lines. */
const FULL_BUT_FOR_THE_LOG = 4 * MIB;
const CONFIG = {
  name: 'full disk',
  model: 'tiny-random',
  seed: 5,
  steps: 2,
  dataset: { families: { arithmetic: 1 } },
  training: { queries_per_step: 2, group_size: 2, learning_rate: 1e-3, entropy_coefficient: 0.01 },
  evaluation: { questions: 2, yardsticks: false },
};
const BODY = { body: JSON.stringify(CONFIG), contentType: 'application/json' } as const;
const ONE_EPISODE = [expect.stringContaining('is full ('), expect.stringContaining('has space again')];
const SERVICES = ['policy-server', 'trainer', 'agent-worker', 'api'] as const;

describe('a stack whose disk is full in the middle of a run', () => {
  const models = { 'tiny-random': { source: 'tiny-random', context: 2048 } };
  const stack = new SupervisedStack({ models }, { mib: 384 });
  let ballast: Ballast;
  let client: ApiClient;
  let temporal: ConnectedClient;
  let undisturbed: TrainingRun;

  beforeAll(async () => {
    await stack.start();
    ballast = new Ballast(stack.data);
    client = await stack.client();
    temporal = await connectClient({
      env: { TEMPORAL_ADDRESS: stack.urls!.temporal, TEMPORAL_CONFIG_FILE: `${stack.data}/temporal.toml` },
      patienceMs: 10_000,
    });
    undisturbed = await finished(await client.createRun(BODY));
  });
  afterEach(() => ballast.remove());
  afterAll(async () => {
    await temporal?.connection.close();
    await stack.remove();
  });

  it('has a policy that moves at every step, or equal bytes would prove nothing', async () => {
    expect(undisturbed.status).toBe('completed');
    const shas = (await client.listSteps(undisturbed.id)).map((step) => step.policy_sha256);
    expect(new Set(shas).size).toBe(CONFIG.steps);
  });

  it('says it once, loses no process of ours, and ends the run with the same policy when there is space', async () => {
    const before = record();
    const told = notices().length;
    const run = await sampling();
    await fill();
    await until('PostgreSQL fails to write', () => isRefused(writeCheckpoint));
    await until('Temporal fails to write', () => isRefused(startWorkflow));
    await expect(client.createRun(BODY)).rejects.toThrow('The database does not answer. Try again.');
    ballast.remove();

    await expectSamePolicy(run);
    expect(notices().slice(told)).toEqual(ONE_EPISODE);
    for (const name of SERVICES) expect([name, record().children[name]]).toEqual([name, before.children[name]]);
    expectWholeRecord();
  });

  it('starts nothing that dies meanwhile, so that nothing runs unrecorded; then all of it, once', async () => {
    const before = record();
    const told = notices().length;
    const run = await sampling();
    const agentWorkers = mostAtOnce(stack, 'worker/agent/main.js');
    await fill();
    const dying = ['agent-worker', 'temporal'] as const;
    const restarts = dying.map((name) => countOf(`${name}: restarting in`));
    for (const name of dying) process.kill(stack.pid(name), 'SIGKILL');
    await until('the supervisor has seen both die', () =>
      Promise.resolve(dying.every((name, index) => countOf(`${name}: restarting in`) > restarts[index])),
    );
    await until('PostgreSQL fails to write', () => isRefused(writeCheckpoint));
    expect(record()).toEqual(before);
    expect(dying.filter((name) => identify(before.children[name].pid))).toEqual([]);
    ballast.remove();

    await expectSamePolicy(run);
    expect(agentWorkers.stop()).toBe(1);
    expect(notices().slice(told)).toEqual(ONE_EPISODE);
    for (const name of dying) expect(record().children[name]).toMatchObject({ restarts: 1 });
    expectWholeRecord();
  });

  const record = () => readStackRecord(`${stack.data}/stack.json`);
  const lines = () => stack.log('supervisor').split('\n');
  const notices = () => lines().filter((line) => line.startsWith('The disk of'));
  const countOf = (text: string) => lines().filter((line) => line.startsWith(text)).length;

  /** A run whose first step asks the policy server. */
  async function sampling(): Promise<TrainingRun> {
    const run = await client.createRun(BODY);
    const mine = () => stack.requests().some(({ flow_id }) => flow_id?.startsWith(`${run.id}/1/`));
    await until('its first step samples', () => Promise.resolve(mine()), 20);
    return run;
  }

  async function finished({ id }: TrainingRun): Promise<TrainingRun> {
    const status = () =>
      client.getRun(id).then(
        (run) => run.status,
        () => 'not answered',
      );
    await until(`${id} ends`, async () => ['completed', 'failed', 'cancelled', 'paused'].includes(await status()), 250);
    return client.getRun(id);
  }

  async function fill(): Promise<void> {
    const before = notices().length;
    ballast.leave(FULL_BUT_FOR_THE_LOG);
    await until('the supervisor says so', () => Promise.resolve(notices().length > before));
  }

  /** Of what is written while there is no byte left: a server that dies leaves some. */
  async function isRefused(work: () => Promise<unknown>): Promise<boolean> {
    ballast.leave(0);
    return work().then(
      () => false,
      () => true,
    );
  }

  async function writeCheckpoint(): Promise<void> {
    const dataSource = await createDataSource(stack.urls!.database, 'command', 1).initialize();
    await dataSource.query('CHECKPOINT').finally(() => dataSource.destroy());
  }

  /** Of a queue that no worker polls, with an input that does not fit into what the database has left. */
  function startWorkflow(): Promise<unknown> {
    const options = { taskQueue: 'nobody', workflowId: `ballast-${Date.now()}`, workflowExecutionTimeout: '1 minute' };
    return temporal.withDeadline(Date.now() + 5_000, () =>
      temporal.workflow.start('nothing', { ...options, args: ['x'.repeat(MIB)] }),
    );
  }

  async function expectSamePolicy(run: TrainingRun): Promise<void> {
    const ended = await finished(run);
    expect(ended.status).toBe('completed');
    expect(ended.policy_sha256).toBe(undisturbed.policy_sha256);
    const workflow = temporal.workflow.getHandle(run.id);
    await workflow.result(); // the row says so a moment before the workflow closes
    const { events } = await workflow.fetchHistory();
    expect(events!.map(({ eventId }) => Number(eventId))).toEqual(events!.map((_, index) => index + 1));
    expect(events!.at(-1)!.workflowExecutionCompletedEventAttributes).toBeTruthy();
  }

  function expectWholeRecord(): void {
    const { children, urls } = record();
    expect(urls).toBeDefined();
    for (const [name, { pid }] of Object.entries(children))
      expect([name, identify(pid)]).toEqual([name, expect.anything()]);
  }
});
