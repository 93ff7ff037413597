import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, jest } from '@jest/globals';
import { Logger, type Type } from '@nestjs/common';
import fc from 'fast-check';
import type { DataSource } from 'typeorm';
import { FileArtifactStore } from '../../../infra/artifacts/file-artifact-store.js';
import { createDataSource } from '../../../infra/database/data-source.js';
import { Removal } from '../../../infra/database/entities/index.js';
import type { Submission } from '../../../infra/database/entities/submission.entity.js';
import { AgentFlowsRepository } from '../../agent-flows/agent-flows.repository.js';
import { BenchmarkEvaluationsRepository } from '../../benchmark-evaluations/benchmark-evaluations.repository.js';
import { ExportsRepository } from '../../exports/exports.repository.js';
import { TrainingRunsRepository } from '../../training-runs/training-runs.repository.js';
import { FakeWorkflows } from '../../testing/fake-workflows.js';
import { TestApi } from '../../testing/test-api.js';
import type { Workflows } from '../../temporal/workflows.js';
import type { SubmissionsRepository } from '../submissions.repository.js';
import { RemovalsService, type AfterRemovalStep, type RemovalStep } from './removals.service.js';
import { ownedTables } from './rows-of.js';
import {
  addEndedEvaluation,
  addEndedExport,
  addEndedFlow,
  addEndedRun,
  addManyTurns,
  everything,
} from './testing/owned.js';

jest.setTimeout(120_000);

const KINDS = ['run', 'flow', 'evaluation', 'export'] as const;
type Kind = (typeof KINDS)[number];

const REPOSITORIES: Record<string, Type<SubmissionsRepository<Submission>>> = {
  'run-': TrainingRunsRepository,
  flow: AgentFlowsRepository,
  eval: BenchmarkEvaluationsRepository,
  expo: ExportsRepository,
};

/** Thrown where a process dies. */
class Killed extends Error {}

describe(RemovalsService, () => {
  let api: TestApi;
  let dataSource: DataSource;
  /** Of a second process. */
  let second: DataSource;
  let others: string[];

  beforeAll(async () => {
    Logger.overrideLogger(false);
    api = await TestApi.start();
    dataSource = api.database.dataSource;
    second = await createDataSource(api.database.url, 'command').initialize();
    // What must stay as it is: one of each kind, and a run whose id begins like those that are deleted.
    for (const kind of KINDS) await add[kind]();
    await addManyTurns(dataSource, 'run-', 3);
    others = await everything(dataSource, api.artifacts);
  });
  afterAll(async () => {
    await second.destroy();
    await api.stop();
  });
  beforeEach(() => {
    api.workflows.goneWorkflow = { reason: 'it completed', cancelled: false };
  });
  afterEach(async () => {
    expect(await everything(dataSource, api.artifacts)).toEqual(others);
  });

  /** A process that removes, with its own connections. */
  const process_ = (connections: DataSource, afterStep: AfterRemovalStep = () => undefined) =>
    new RemovalsService(
      connections,
      new FileArtifactStore(api.artifacts),
      new FakeWorkflows() as unknown as Workflows,
      afterStep,
    );
  /** One that dies after so many steps. */
  const dyingAfter = (steps: number, seen: RemovalStep[] = []) => {
    let left = steps;
    return process_(dataSource, (step) => {
      seen.push(step);
      if (left-- <= 0) throw new Killed();
    });
  };
  const mark = async (id: string): Promise<void> => {
    const repository: SubmissionsRepository<Submission> = api.app.get(REPOSITORIES[id.slice(0, 4)]);
    await repository.remove((await repository.find('default', id))!);
  };
  const add: Record<Kind, () => Promise<string>> = {
    run: () => addEndedRun(dataSource, api.artifacts),
    flow: () => addEndedFlow(dataSource, api.artifacts),
    evaluation: () => addEndedEvaluation(dataSource),
    export: () => addEndedExport(dataSource, api.artifacts),
  };
  const marked = async (kind: Kind): Promise<string> => {
    const id = await add[kind]();
    await mark(id);
    return id;
  };
  const markedRun = () => marked('run');
  const removal = (id: string) => dataSource.getRepository(Removal).findOneByOrFail({ id });

  /** The steps of an undisturbed removal. */
  const stepsOf = async (): Promise<RemovalStep[]> => {
    const seen: RemovalStep[] = [];
    await markedRun();
    await process_(dataSource, (step) => seen.push(step)).proceed();
    return seen;
  };

  it('knows every table that can hold rows of a run', () => {
    expect(
      ownedTables(dataSource)
        .map(({ name }) => name)
        .toSorted(),
    ).toEqual([
      'batches',
      'checkpoints',
      'evaluations',
      'idempotency_keys',
      'model_replies',
      'policies',
      'policy_pins',
      'project_events',
      'rollouts',
      'run_events',
      'run_spending',
      'tool_calls',
      'training_steps',
      'turns',
      'webhook_deliveries',
    ]);
  });

  it('takes its steps in order, of a large table one for each transaction', async () => {
    const tables = ownedTables(dataSource).map(({ name }) => `rows ${name}`);
    expect(await stepsOf()).toEqual(['histories', 'discarded', 'files', 'images', ...tables, 'done']);
    const id = await addEndedRun(dataSource, api.artifacts);
    await addManyTurns(dataSource, id, 2_500);
    await mark(id);
    const seen: RemovalStep[] = [];
    await process_(dataSource, (step) => seen.push(step)).proceed();
    expect(seen.filter((step) => step === 'rows turns')).toHaveLength(3);
  });

  it.each(KINDS)('of a %s, killed after any of its steps, is completed by another process', async (kind) => {
    const steps = await stepsOf();
    for (const [i, step] of steps.entries()) {
      const id = await marked(kind);
      const seen: RemovalStep[] = [];
      await dyingAfter(i, seen).proceed();
      expect(seen).toEqual(steps.slice(0, i + 1));
      expect((await removal(id)).removedAt === null).toBe(step !== 'done');
      await process_(second).proceed();
      expect((await removal(id)).removedAt).toBeInstanceOf(Date);
      expect(await everything(dataSource, api.artifacts)).toEqual(others);
    }
  });

  it('property: whatever the order of kills, of several things and two processes at once, nothing is left', async () => {
    const kills = fc.array(fc.tuple(fc.nat(19), fc.nat(19)), { maxLength: 4 });
    const kinds = fc.array(fc.constantFrom(...KINDS), { minLength: 1, maxLength: 3 });
    await fc.assert(
      fc.asyncProperty(kills, kinds, fc.boolean(), async (lives, chosen, many) => {
        const ids: string[] = [];
        for (const kind of chosen) ids.push(await add[kind]());
        if (many) await addManyTurns(dataSource, ids[0], 1_500);
        for (const id of ids) await mark(id);
        for (const [first, other] of lives) {
          await Promise.all([dyingAfter(first).proceed(), dyingAfter(other).proceed()]);
        }
        await Promise.all([process_(dataSource).proceed(), process_(second).proceed()]);
        for (const id of ids) expect((await removal(id)).removedAt).toBeInstanceOf(Date);
        expect(await everything(dataSource, api.artifacts)).toEqual(others);
      }),
      { numRuns: 15 },
    );
  });

  it('an outage of Temporal keeps the rest for later, and no other removal from its turn', async () => {
    const [a, b] = [await markedRun(), await markedRun()].toSorted();
    const workflows = new FakeWorkflows();
    workflows.forget = (id) => (id === a ? Promise.reject(new Error('unreachable')) : Promise.resolve());
    const store = new FileArtifactStore(api.artifacts);
    await new RemovalsService(dataSource, store, workflows as unknown as Workflows).proceed();
    expect((await removal(a)).removedAt).toBeNull();
    expect((await removal(b)).removedAt).toBeInstanceOf(Date);
    await process_(dataSource).proceed();
  });

  it('looks again a day later for files that a killed process has written late, and then no more', async () => {
    const id = await markedRun();
    await process_(dataSource).proceed();
    const late = join(api.artifacts, 'runs', id, 'policies');
    await mkdir(late, { recursive: true });
    await writeFile(join(late, 'manifest.json'), '{}');
    await process_(dataSource).proceed();
    expect(await everything(dataSource, api.artifacts)).not.toEqual(others);
    await dataSource.query("UPDATE removals SET removed_at = now() - interval '25 hours' WHERE id = $1", [id]);
    await process_(dataSource).proceed();
    expect(await everything(dataSource, api.artifacts)).toEqual(others);
    expect((await removal(id)).settled).toBe(true);
    const seen: string[] = [];
    await process_(dataSource, (_, of) => seen.push(of)).proceed();
    expect(seen).not.toContain(id);
  });

  it('ends between two steps where its process is stopped', async () => {
    await markedRun();
    const seen: RemovalStep[] = [];
    let stopped: Promise<void> | undefined;
    const service: RemovalsService = process_(dataSource, (step) => {
      seen.push(step);
      if (step === 'discarded') stopped = service.onModuleDestroy();
    });
    await service.proceed();
    await stopped;
    expect(seen).toEqual(['histories', 'discarded']);
    await process_(second).proceed();
  });
});
