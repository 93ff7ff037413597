import { FailureType, type RunFailure } from '../../contracts/failures.js';

/**
 * The commands to choose from where a loss that was not finite has paused a run, or samples of another policy, each on a
 * line with what it does; no line otherwise.
 * @param told a run, or what a run's event says
 */
export function describeChoices(runId: string, told: { status?: unknown; failure?: unknown }): string[] {
  const failure = told.failure as RunFailure | null | undefined;
  if (told.status !== 'paused' || !failure) return [];
  const choices = choicesFor(failure);
  if (choices.length === 0) return [];
  const width = Math.max(...choices.map(([command]) => command.length));
  return [
    'The step waits for a decision; choose one of:',
    ...choices.map(([command, meaning]) => `  npx agentflow decide ${runId} ${command.padEnd(width)}  ${meaning}`),
  ];
}

function choicesFor(failure: RunFailure): [command: string, meaning: string][] {
  const skipStep: [string, string] = ['skip-step', 'make no update in this step'];
  if (failure.type === FailureType.SamplerMismatch) return [skipStep];
  if (failure.type !== FailureType.NonFiniteLoss) return [];
  const groups = failure.groups ?? [];
  return [
    groups.length > 0
      ? ['skip-group', `leave ${nameGroups(groups)} out of the step`]
      : ['skip-group --groups N,M', 'leave these groups out of the step'],
    skipStep,
    ['learning-rate RATE', 'take the step again with another learning rate'],
  ];
}

/** `group 3`, `groups 1, 3 and 4`. */
function nameGroups(groups: readonly number[]): string {
  const last = groups.at(-1);
  return groups.length === 1 ? `group ${last}` : `groups ${groups.slice(0, -1).join(', ')} and ${last}`;
}
