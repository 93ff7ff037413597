import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { PROJECT_ROOT } from '../../infra/config/project-root.js';
import { ceilingOf, moneyOf } from './calls.js';
import { needsOf } from './needs.js';
import { describePlan } from './plan.js';
import { namingRuns, readExperiment, runsNamedBy, type EvaluationStage } from './stages.js';

const PAPER = join(PROJECT_ROOT, 'examples/paper/stages.yaml');
const SMALL = join(PROJECT_ROOT, 'examples/paper/small/stages.yaml');

describe("the paper's experiment", () => {
  it('holds the values of the paper', async () => {
    const { stages } = await readExperiment(PAPER);
    expect(stages.map(({ kind, name }) => [kind, name])).toEqual([
      ['run', 'train'],
      ['evaluation', 'benchmarks'],
      ['evaluation', 'turns'],
      ['evaluation', 'gpt-4o-planner'],
    ]);
    const [train, benchmarks, turns] = stages;
    expect(train.config).toMatchObject({
      steps: 32,
      flow: { max_turns: 3, planner: { temperature: 0.5, max_tokens: 2048 } },
      training: {
        queries_per_step: 32,
        group_size: 8,
        mini_batches: 4,
        advantage: 'trajectory',
        policy_loss: { kind: 'clip', low: 0.2, high: 0.3, dual: 3 },
        kl: { coefficient: 0.001, estimator: 'k3', reference: 'base' },
        learning_rate: 1e-6,
      },
    });
    expect((benchmarks as EvaluationStage).config).toMatchObject({ trials: 3, flow: { max_turns: 10 } });
    expect((benchmarks as EvaluationStage).config.benchmarks).toHaveLength(10);
    expect((turns as EvaluationStage).config.max_turns).toEqual([3, 5, 7, 10]);
  });

  it('counts what a stage asks for at most', async () => {
    const { operator, stages } = await readExperiment(PAPER);
    const ceiling = ceilingOf(stages[0], new Map())!;
    // 32 steps of 256 rollouts, and 30 held-out questions before the first, after every second.
    const flows = 32 * 256 + 17 * 30;
    expect(ceiling).toMatchObject({ flows, turns: 3 * flows });
    expect(ceiling.planner).toMatchObject({ calls: 3 * flows, output: 3 * flows * 2048 });
    // Analysis and answer once, executor, verifier and generator tool at each turn.
    expect(ceiling.models['qwen-frozen'].calls).toBe(flows * (2 + 3 * 3));
    expect(ceiling.models['gpt-4o']).toEqual({ calls: flows, input: flows * 16_000, output: flows * 512 });
    expect(moneyOf(ceiling, operator)).toBeCloseTo((flows * (16_000 * 2.5 + 512 * 10)) / 1e6);
  });

  it('knows no ceiling of an evaluation whose benchmark has an unknown number of questions', async () => {
    const { stages } = await readExperiment(PAPER);
    expect(ceilingOf(stages[1], new Map())).toBeUndefined();
  });

  it('names each thing that is missing, and what brings it', async () => {
    const { operator, stages } = await readExperiment(PAPER);
    const needs = await needsOf(stages, operator, { OPENAI_API_KEY: 'a-key-of-openai' });
    const missing = new Map(needs.map(({ what, mend }) => [what, mend]));
    expect(missing.get('key of provider openai in the environment variable OPENAI_API_KEY')).toBeUndefined();
    expect(missing.get('key of web_search')).toMatch(/GOOGLE_API_KEY/);
    expect(missing.get('dataset bamboogle in /srv/agentflow/datasets/bamboogle')).toBe(
      'npx agentflow datasets fetch bamboogle --to /srv/agentflow/datasets/bamboogle',
    );
    expect(missing.get('policy server (vLLM)')).toMatch(/AGENTFLOW_POLICY_SERVER_URL/);
    const plan = describePlan(await readExperiment(PAPER), needs, () => 'not submitted').join('\n');
    expect(plan).toMatch(/MISSING +dataset nq in/);
    expect(plan).toContain('flow.budget.money pauses it at 100');
    expect(plan).toContain(`${needs.filter(({ mend }) => mend).length} of ${needs.length} are missing.`);
  });

  it('needs nothing in small', async () => {
    const { operator, stages } = await readExperiment(SMALL);
    expect((await needsOf(stages, operator, {})).filter(({ mend }) => mend)).toEqual([]);
  });

  it("puts a run's id in the place of its stage", async () => {
    const { stages } = await readExperiment(PAPER);
    const benchmarks = stages[1] as EvaluationStage;
    expect(runsNamedBy(benchmarks)).toEqual(['train']);
    expect(namingRuns(benchmarks, new Map([['train', 'run-a1']])).policies).toEqual(['base', 'run-a1@32']);
  });
});

describe('stages that cannot run', () => {
  let directory: string;
  beforeEach(() => {
    directory = mkdtempSync(join(tmpdir(), 'stages-'));
  });
  afterEach(() => rmSync(directory, { recursive: true }));

  const write = (name: string, text: string): string => {
    writeFileSync(join(directory, name), text);
    return join(directory, name);
  };
  const stages = (list: string): string =>
    write('stages.yaml', `operator: ${join(PROJECT_ROOT, 'examples/paper/small/operator.yaml')}\nstages: [${list}]`);
  const RUN = '{ model: tiny-random, steps: 2 }';
  const evaluating = (policy: string) =>
    `{ model: tiny-random, benchmarks: [{ name: atlas, questions: 1 }], policies: [${policy}] }`;

  it.each([
    ['a stage that nobody trains', 'other@1', 'evaluates other, which no stage before it trains'],
    ['a step that the run has not', 'train@3', 'evaluates train@3; train has 2 steps'],
  ])('name %s', async (_, policy, message) => {
    write('train.yaml', RUN);
    write('e.yaml', evaluating(policy));
    const path = stages('{ name: train, run: train.yaml }, { name: e, evaluation: e.yaml }');
    await expect(readExperiment(path)).rejects.toThrow(message);
  });

  it('are refused with the file and the key of a configuration that is wrong', async () => {
    write('train.yaml', '{ model: tiny-random, steps: many }');
    const path = stages('{ name: train, run: train.yaml }');
    await expect(readExperiment(path)).rejects.toThrow(/train\.yaml:[^]*steps/);
  });

  it('are refused if the list itself is wrong', async () => {
    await expect(readExperiment(stages('{ name: train, runs: train.yaml }'))).rejects.toThrow(/stages\.yaml/);
  });
});
