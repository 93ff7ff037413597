import type { TrainingRun } from '../client/api-types.js';
import type { ApiClient } from '../client/api-client.js';

/** A paused run takes no part of the machine. */
const AT_WORK: readonly TrainingRun['status'][] = ['queued', 'running', 'pausing'];

/** The other runs that the stack works on, such as an interrupted one of another seed: it went on with the stack. */
export async function runsBeside(client: ApiClient, { id }: TrainingRun): Promise<TrainingRun[]> {
  const { data } = await client.listRuns({ limit: 100 });
  return data.filter((other) => other.id !== id && AT_WORK.includes(other.status));
}

/** What they mean for `run`, and the commands for having one at a time. No line where there are none. */
export function describeOtherRuns(run: TrainingRun, others: readonly TrainingRun[]): string[] {
  if (others.length === 0) return [];
  const commands = others.flatMap(({ id }) => [
    [`cancel ${id}`, 'end it'],
    [`watch ${id}`, 'see how it does'],
  ]);
  commands.push(
    [
      `pause ${run.id}`,
      `let ${others.length === 1 ? 'it' : 'them'} go on without this one, for as long as it is paused`,
    ],
    [`resume ${run.id}`, 'bring this one back'],
  );
  const width = Math.max(...commands.map(([command]) => command.length));
  return [
    '',
    ...others.map(
      ({ id, name, seed, step, steps }) => `${id} (${name}, seed ${seed}) is not finished: step ${step} of ${steps}.`,
    ),
    `The stack works on ${others.length === 1 ? 'it' : 'them'} and on ${run.id} at once, so that each takes longer. In another terminal:`,
    ...commands.map(([command, meaning]) => `  npx agentflow runs ${command.padEnd(width)}  ${meaning}`),
    '',
  ];
}
