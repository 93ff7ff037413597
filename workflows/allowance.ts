import type { ChangeablePart } from './contracts/identity.js';
import { changedIn } from './contracts/identity.js';
import { refusal } from './refusal.js';
import type { TrainingRun } from './training-run.js';

/**
 * Lets a run go on although parts of its identity have changed since it began: from now on its calls must agree in what
 * these parts are now, and every batch says so (I4). A part that has not changed is refused: nothing is allowed ahead.
 */
export async function allow(run: TrainingRun, parts: ChangeablePart[]): Promise<void> {
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
  run.state.allowed = { ...run.state.allowed, ...is };
}
