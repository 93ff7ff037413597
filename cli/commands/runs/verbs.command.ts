import { InvalidArgumentError, type Command } from 'commander';
import type { TrainingRun } from '../../client/api-types.js';
import { CHANGEABLE_PART_NAMES, type ChangeablePart } from '../../../contracts/identity.js';
import type { ApiClient } from '../../client/api-client.js';
import type { CliContext } from '../../context.js';
import { deleted, requireConsent } from '../../require-consent.js';
import { printJson, printRun } from '../../output/print-run.js';
import { someOf } from '../../some-of.js';

interface Options {
  json?: boolean;
}

/** What changes a run. Each prints the run as it is then. */
export function registerVerbs(runs: Command, context: CliContext): void {
  const verb = (name: string, description: string) =>
    runs.command(name).description(description).argument('<run>').option('--json', 'print JSON');
  const print = async ({ json }: Options, call: (client: ApiClient) => Promise<TrainingRun>) => {
    const run = await call(await context.client());
    if (json) printJson(context, run);
    else printRun(context, run);
  };

  verb('pause', 'Pause a training run when its current step is finished.')
    .option('--now', 'stop its rollouts before their next activity')
    .action((id: string, options: Options & { now?: boolean }) => print(options, (api) => api.pause(id, options.now)));

  verb('resume', 'Continue a paused training run.')
    .option(
      '--allow <parts>',
      `accept that these parts changed since the run began: ${CHANGEABLE_PART_NAMES.join(',')}`,
      someOf(CHANGEABLE_PART_NAMES),
    )
    .action((id: string, options: Options & { allow?: ChangeablePart[] }) =>
      print(options, (api) => api.resume(id, options.allow)),
    );

  for (const [name, description] of [
    ['stop', 'Finish the current step of a training run, evaluate, and complete it.'],
    ['cancel', 'Cancel a training run; its last finished step is kept as a checkpoint.'],
    ['revive', 'Continue a training run whose workflow Temporal no longer has, after its last committed step.'],
  ] as const) {
    verb(name, description).action((id: string, options: Options) => print(options, (api) => api.act(id, name)));
  }

  runs
    .command('delete')
    .description(
      'Delete a training run that has ended: its policies, checkpoints, rollouts and events. It asks before.',
    )
    .argument('<run>')
    .option('--yes', 'do not ask')
    .option('--json', 'print JSON')
    .action(async (id: string, options: Options & { yes?: boolean }) => deleteRun(context, id, options));

  verb('learning-rate', 'Change the learning rate of a training run from its next batch on.')
    .argument('<rate>', 'as in 1e-5', aboveZero)
    .action((id: string, rate: number, options: Options) => print(options, (api) => api.setLearningRate(id, rate)));

  verb('extend', 'Give a training run more steps.')
    .argument('<steps>', 'how many it is to have in all', aboveZero)
    .action((id: string, steps: number, options: Options) => print(options, (api) => api.extend(id, steps)));
}

/** @throws CliError without the user's consent */
async function deleteRun(context: CliContext, id: string, { yes, json }: Options & { yes?: boolean }): Promise<void> {
  const client = await context.client();
  if (!yes) {
    const { name, status, step, steps } = await client.getRun(id);
    await requireConsent(context, id, `${name}, ${status}, ${step} of ${steps} steps. Its policies go too.`);
  }
  await client.deleteRun(id);
  if (json) printJson(context, { id, deleted: true });
  else context.print(deleted(id));
}

/** The API says which values it takes. */
function aboveZero(text: string): number {
  const value = Number(text);
  if (!(value > 0)) throw new InvalidArgumentError('must be a number above 0.');
  return value;
}
