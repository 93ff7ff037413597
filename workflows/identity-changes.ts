import { changedIn, type ChangeablePart } from '../contracts/identity.js';
import type { TrainingRunState } from '../contracts/training-run.js';
import { refusal } from './handle-updates.js';
import type { StepContext } from './step-context.js';

type Run = Pick<StepContext, 'input' | 'activities' | 'agreed'> & {
  readonly state: Pick<TrainingRunState, 'step' | 'statusVersion'>;
};

/**
 * Finds and records what has changed in these parts of a run's identity since it began: the run is to go on with it,
 * and every batch says so (I4). A part that has not changed is refused: nothing is allowed in advance.
 * @returns what changed, with what it is now, by the identity's own names
 */
export async function recordChanges(run: Run, parts: ChangeablePart[]): Promise<Record<string, string>> {
  const { runId, config } = run.input;
  const now = await run.activities.resolveIdentity({ config });
  const same = parts.filter((part) => changedIn(part, run.agreed, now).length === 0);
  if (same.length > 0) throw refusal(`there is nothing to allow: ${same.join(', ')} did not change`);
  const changed = parts.flatMap((part) => changedIn(part, run.agreed, now));
  const [was, is] = [run.agreed, now].map((identity) =>
    Object.fromEntries(changed.map((name) => [name, identity[name]])),
  );
  const { statusVersion: version, step } = run.state;
  await run.activities.recordAllowance.executeWithOptions({ summary: parts.join(', ') }, [
    { runId, version, step: step + 1, parts, was, is },
  ]);
  return is;
}
