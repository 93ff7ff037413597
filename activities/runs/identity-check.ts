import type { DataSource } from 'typeorm';
import { TrainingRun } from '../../infra/database/entities/index.js';
import type { RunActivities, RunAgreement } from '../../contracts/agent-activities.js';
import { FailureType } from '../../contracts/failures.js';
import { CHANGEABLE_PART_NAMES, changedIn } from '../../contracts/identity.js';
import { nonRetryable } from '../failures/non-retryable.js';
import { RecentlyUsed } from '../recently-used.js';

type Activity = (input: never, ...rest: never[]) => Promise<unknown>;
type Resolve = RunActivities['resolveIdentity'];

/** A call of a flow, or another one that says for which run it is. */
interface RunCall {
  flow?: RunAgreement;
  run?: RunAgreement;
}

/** Runs whose identity is kept in memory. */
const KEPT_RUNS = 100;

/**
 * The same activities; a call of a run whose prompts, dataset or reward are not those of this process fails with
 * WrongIdentity before it does anything (I8). So no turn is sampled, and no question drawn, under another identity than
 * the one that the batch will name, whichever worker takes the call.
 */
export function withIdentityCheck<Activities extends object>(
  activities: Activities,
  dataSource: DataSource,
  resolveIdentity: Resolve,
): Activities {
  const identityOf = keptIdentities(dataSource, resolveIdentity);
  const wrapped = Object.entries(activities as Record<string, Activity>).map(([name, activity]) => [
    name,
    async (input: never, ...rest: never[]) => {
      const { flow, run = flow } = (input ?? {}) as RunCall;
      if (run?.identity) refuseOther(run.runId, run.identity, await identityOf(run.runId));
      return activity(input, ...rest);
    },
  ]);
  return Object.fromEntries(wrapped) as Activities;
}

/** What this process has for a run: code and registered data do not change while it lives. */
function keptIdentities(dataSource: DataSource, resolve: Resolve): (runId: string) => Promise<Record<string, string>> {
  const kept = new RecentlyUsed<Promise<Record<string, string>>>(KEPT_RUNS);
  const read = async (runId: string) => {
    const { config } = await dataSource.getRepository(TrainingRun).findOneByOrFail({ id: runId });
    return resolve({ config });
  };
  return (runId) => kept.get(runId, () => read(runId));
}

function refuseOther(runId: string, agreed: Record<string, string>, here: Record<string, string>): void {
  const parts = CHANGEABLE_PART_NAMES.filter((part) => changedIn(part, agreed, here).length > 0);
  if (parts.length === 0) return;
  const differences = parts.map((part) => {
    const names = changedIn(part, agreed, here);
    const values = names.map((name) => `${name}: ${agreed[name]} of the run, ${here[name] ?? 'none'} here`);
    return `${part} (${values.join('; ')})`;
  });
  throw nonRetryable(
    FailureType.WrongIdentity,
    `This agent worker has another ${differences.join(', another ')} than ${runId} began with. Deploy what the run began with ` +
      `and resume it. To go on with what is deployed instead: npx agentflow runs resume ${runId} --allow ${parts.join(',')}`,
  );
}
