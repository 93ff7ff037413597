import type { TrainingRun } from '../client/api-types.js';
import type { CliContext } from '../context.js';
import { describeChoices } from './describe-choices.js';
import { shortSha256 } from './format.js';

type NoArray<Value> = Value extends readonly unknown[] ? never : Value;

/** Where a run stands that waits for others of its project. */
export function describeQueue(position: number): string {
  return `waits for other runs of its project, as number ${position} of those that wait`;
}

/** One object: an array is printed by printList(). */
export function printJson<Value extends object>({ print }: CliContext, value: NoArray<Value>): void {
  print(JSON.stringify(value, null, 2));
}

/**
 * All items of a list, in the shape that a page of the API's has: every list is read in one way.
 * @param id of an item, as the API's list has it for a cursor
 */
export function printList<Item>(context: CliContext, items: readonly Item[], id: (item: Item) => string): void {
  printJson(context, wholeList(items, id));
}

export function wholeList<Item>(items: readonly Item[], id: (item: Item) => string) {
  const ids = [items.at(0), items.at(-1)].map((item) => (item === undefined ? null : id(item)));
  return { object: 'list', data: items, has_more: false, first_id: ids[0], last_id: ids[1] } as const;
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
