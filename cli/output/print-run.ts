import type { TrainingRun } from '../client/api-types.js';
import type { CliContext } from '../context.js';
import { describeChoices } from './describe-choices.js';
import { shortSha256 } from './format.js';

/** Where a run stands that waits for others of its project. */
export function describeQueue(position: number): string {
  return `waits for other runs of its project, as number ${position} of those that wait`;
}

export function printJson({ print }: CliContext, value: unknown): void {
  print(JSON.stringify(value, null, 2));
}

/** @param now what the run is doing, if that is known */
export function printRun({ print }: CliContext, run: TrainingRun, now: string | null = null): void {
  const rows: [string, string | null][] = [
    ['run', run.id],
    ['name', run.name],
    ['status', run.status],
    ['queue', run.queue_position === null ? null : describeQueue(run.queue_position)],
    ['step', `${run.step} of ${run.steps}`],
    ['now', now],
    ['model', run.model],
    ['seed', String(run.seed)],
    ['policy', run.policy && `${run.policy} (${shortSha256(run.policy_sha256)})`],
    ['failure', run.failure && `${run.failure.type}: ${run.failure.message}`],
    ['created', run.created_at],
    ['started', run.started_at],
    ['finished', run.finished_at],
  ];
  for (const [name, value] of rows) if (value !== null) print(`${name.padEnd(9)}${value}`);
  for (const line of describeChoices(run.id, run)) print(line);
}
