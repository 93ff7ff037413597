import type { DataSource } from 'typeorm';
import { TestApi } from '../../api/testing/test-api.js';
import { ReconcilerService } from '../../api/submissions/reconciler.service.js';
import { Workflows } from '../../api/temporal/workflows.js';
import { recordEvaluation } from '../../activities/runs/record-evaluation.js';
import { recordStep } from '../../activities/runs/record-step.js';
import { recordRollout } from '../../activities/trajectories/record-rollout.js';
import { TurnStore } from '../../activities/trajectories/turn-store.js';
import { ApiClient } from '../../cli/client/api-client.js';
import type { AgentActivities } from '../../contracts/agent-activities.js';
import type { TrainerActivities } from '../../contracts/trainer-activities.js';
import { writeEvaluationReport, writeEvaluationStatus } from '../../infra/database/evaluation-status.js';
import { writeFlowStatus } from '../../infra/database/flow-status.js';
import { writeRunStatus } from '../../infra/database/run-status.js';
import { scriptedActivities, type ScriptedActivities } from '../support/scripted-activities.js';
import { TEST_SETTINGS, type WorkflowHarness } from '../support/workflow-harness.js';

/** The API on a real PostgreSQL and a real Temporal server. */
export interface Standing {
  api: TestApi;
  client: ApiClient;
  dataSource: DataSource;
  /** One round of the reconciler. */
  reconcile(): Promise<void>;
}

/** @param dataSource of another API, whose rows this one then shares */
export async function startStanding(
  { client, environment: { connection } }: Pick<WorkflowHarness, 'client' | 'environment'>,
  shared?: Standing,
): Promise<Standing> {
  const api = await TestApi.start({
    workflows: new Workflows(client, connection, TEST_SETTINGS),
    ...(shared && { dataSource: shared.dataSource }),
  });
  const reconciler = api.app.get<ReconcilerService, { reconcile(): Promise<void>; timer: NodeJS.Timeout }>(
    ReconcilerService,
  );
  // It compares when it is told to: a round of its own would start what a test has left queued.
  clearInterval(reconciler.timer);
  return {
    api,
    client: new ApiClient({ url: api.url, key: shared?.api.key ?? api.key }),
    dataSource: shared?.dataSource ?? api.database.dataSource,
    reconcile: () => reconciler.reconcile(),
  };
}

/** Scripted activities whose records are the real ones, in the database: statuses, steps, evaluations, turns, rollouts. */
export function recordingActivities(
  dataSource: DataSource,
  overrides: { agent?: Partial<AgentActivities>; trainer?: Partial<TrainerActivities> } = {},
): ScriptedActivities {
  const turns = new TurnStore(dataSource);
  const scripted = scriptedActivities({
    agent: {
      setRunStatus: async (input) => void (await writeRunStatus(dataSource, input)),
      setFlowStatus: async (input) => void (await writeFlowStatus(dataSource, input)),
      setEvaluationStatus: async (input) => writeEvaluationStatus(dataSource, input),
      reportEvaluation: async ({ id }) => {
        await writeEvaluationReport(dataSource, id, { cells: [], comparisons: [] });
        return { cells: 0 };
      },
      recordStep: (input) => recordStep(dataSource, input),
      recordEvaluation: (input) => recordEvaluation(dataSource, input),
      recordRollout: (input) => recordRollout(dataSource, input),
      ...overrides.agent,
    },
    trainer: overrides.trainer ?? {},
  });
  const { planTurn } = scripted.agent;
  scripted.agent.planTurn = (input) =>
    turns.once({ flowId: input.flow.flowId, turn: input.turn, module: 'planner' }, async () => ({
      output: await planTurn(input),
    }));
  return scripted;
}

export const RUN = {
  model: 'tiny-random',
  steps: 3,
  training: { queries_per_step: 1, group_size: 2 },
  evaluation: { questions: 1, yardsticks: false, every: 1 },
};

export function submit(client: ApiClient, config: object = RUN) {
  return client.createRun({ body: JSON.stringify(config), contentType: 'application/json' });
}

/** What can be submitted, each with what is asked of it. */
export function submissionsOf(standing: () => Standing) {
  return {
    'a training run': {
      submit: async () => (await submit(standing().client)).id,
      get: (id: string) => standing().client.getRun(id),
      cancel: (id: string) => standing().client.act(id, 'cancel'),
      revive: (id: string) => `runs revive ${id}`,
      watch: (id: string) => ['runs', 'watch', id],
      reviveNow: (id: string) => standing().client.act(id, 'revive'),
      path: (id: string) => `/v1/training_runs/${id}`,
      verbs: ['pause', 'resume', 'stop'],
    },
    'an agent flow': {
      submit: async () => (await standing().client.ask({ question: 'Why?', model: 'tiny-random' })).id,
      get: (id: string) => standing().client.getFlow(id),
      cancel: (id: string) => standing().client.cancelFlow(id),
      revive: (id: string) => `solve --id ${id} --revive`,
      watch: (id: string) => ['solve', '--id', id],
      reviveNow: (id: string) => standing().client.reviveFlow(id),
      path: (id: string) => `/v1/agent_flows/${id}`,
      verbs: ['resume'],
    },
    'an evaluation on benchmarks': {
      submit: async () =>
        (
          await standing().client.createEvaluation({
            body: JSON.stringify({ model: 'tiny-random', benchmarks: [{ name: 'atlas', questions: 1 }] }),
            contentType: 'application/json',
          })
        ).id,
      get: (id: string) => standing().client.getEvaluation(id),
      cancel: async (id: string) =>
        (await standing().api.request('post', `/v1/evaluations/${id}/cancel`).expect(200)).body as { status: string },
      revive: (id: string) => `eval --id ${id} --revive`,
      watch: (id: string) => ['eval', '--id', id],
      reviveNow: (id: string) => standing().client.reviveEvaluation(id),
      path: (id: string) => `/v1/evaluations/${id}`,
      verbs: ['resume'],
    },
  };
}
