import type { ChangeablePart } from './contracts/identity.js';
import { CHANGEABLE_PARTS } from './contracts/identity.js';
import { refusal } from './refusal.js';
import type { TrainingRun } from './training-run.js';

/**
 * Lets a run go on although parts of its identity have changed since it began: from now on its calls must agree in what
 * these parts are now, and every batch says so (I4). A part that has not changed is refused: nothing is allowed ahead.
 */
export async function allow(run: TrainingRun, parts: ChangeablePart[]): Promise<void> {
  const { runId, config } = run.input;
  const now = await run.activities.resolveIdentity({ config });
  const same = parts.filter((part) => now[CHANGEABLE_PARTS[part]] === run.agreed[CHANGEABLE_PARTS[part]]);
  if (same.length > 0) throw refusal(`there is nothing to allow: ${same.join(', ')} did not change`);
  const [was, is] = [run.agreed, now].map((identity) =>
    Object.fromEntries(parts.map((part) => [CHANGEABLE_PARTS[part], identity[CHANGEABLE_PARTS[part]]])),
  );
  const { statusVersion: version, step } = run.state;
  await run.activities.recordAllowance.executeWithOptions({ summary: parts.join(', ') }, [
    { runId, version, step: step + 1, parts, was, is },
  ]);
  run.state.allowed = { ...run.state.allowed, ...is };
}
