import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { parseYaml } from '../../infra/documents/yaml-document.js';
import { PROJECT_ROOT } from '../../infra/config/project-root.js';
import { runConfigSchema, type RunConfig } from '../../contracts/run-config.js';
import { isRecorded } from '../../contracts/training-parts.js';

/** One way to train the quickstart's planner. */
export interface Arm {
  name: string;
  /** What a reader of the table should know of it. */
  description: string;
  /** @param teacher id of the finished run of the first arm, of the same seed */
  config(options: ArmOptions, teacher?: string): Promise<RunConfig>;
}

export interface ArmOptions {
  seed: number;
  steps: number;
  /** A few rollouts a step and a few held-out questions. */
  smoke: boolean;
}

/** Rollouts of these steps teach the supervised arm: of a planner that has hardly been trained. */
const TAUGHT_STEPS = 6;

const SMOKE = { groups: { queries_per_step: 2, group_size: 4 }, samples: 2, questions: 4 };

/** In the order in which they run: the supervised arm learns from what the first one recorded. */
export const ARMS: readonly Arm[] = [
  {
    name: 'Flow-GRPO',
    description: 'advantages normalised over the trajectories of a group, as in the paper',
    config: (options) => configOf('quickstart', options),
  },
  {
    name: 'Flow-GRPO, pooled rows',
    description: "advantages normalised over a group's turns, as in the original's code",
    config: (options) => configOf('quickstart', options, { advantage: 'turn-rows' }),
  },
  {
    name: 'offline SFT',
    description: `supervised on the successful rollouts of the first ${TAUGHT_STEPS} steps of Flow-GRPO`,
    config: (options, teacher) =>
      configOf('quickstart-sft', options, {
        trajectories: { run: teacher, from_step: 1, to_step: Math.min(TAUGHT_STEPS, options.steps), minimum_reward: 1 },
      }),
  },
];

/** The training of a step of a few samples. */
function smallStep(training: RunConfig['training']): Record<string, unknown> {
  return isRecorded(training) ? { samples_per_step: SMOKE.samples } : SMOKE.groups;
}

async function configOf(
  example: string,
  { seed, steps, smoke }: ArmOptions,
  training: Record<string, unknown> = {},
): Promise<RunConfig> {
  const file = parseYaml(await readFile(join(PROJECT_ROOT, 'examples', `${example}.yaml`), 'utf8')) as RunConfig;
  return runConfigSchema.parse({
    ...file,
    seed,
    steps,
    training: { ...file.training, ...(smoke && smallStep(file.training)), ...training },
    evaluation: { ...file.evaluation, ...(smoke && { questions: SMOKE.questions }), yardsticks: false },
  });
}
