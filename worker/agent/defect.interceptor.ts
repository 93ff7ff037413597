import type { Context } from '@temporalio/activity';
import { ApplicationFailure, CancelledFailure } from '@temporalio/common';
import type { ActivityExecuteInput, ActivityInboundCallsInterceptor, Next } from '@temporalio/worker';
import { BoundedError } from '../../activities/failures/defect.js';
import { isOutage } from '../../activities/failures/outage.js';
import { isOfRemoved } from '../../infra/database/removed.js';
import { NotItsWorkflow } from '../../infra/database/submission-rows.js';
import { redact } from '../../infra/redaction/redact.js';
import { FailureType, NON_RETRYABLE } from '../../contracts/failures.js';
import { triesBefore, type Tries } from './tries.js';

export interface Bounds {
  /** Attempts that fail by themselves. */
  defects: number;
  /** Attempts in a row that are lost with their worker. */
  lost: number;
  /** Before the second attempt after a defect; each further one waits four times as long. */
  firstDelayMs: number;
}

/**
 * A defect comes again however often it is tried; a few attempts over a minute and a half are for what only looks like
 * one. Lost attempts are more: each of many calls is lost when its worker is killed for another reason. But only an
 * attempt that a worker has begun can be lost, so that no outage, however long, makes more than one of them: while no
 * worker or no server is there, no attempt begins.
 */
const BOUNDS: Bounds = { defects: 5, lost: 20, firstDelayMs: 1_000 };
const BACKOFF = 4;

/**
 * Tells outage from defect at the one place that every call passes (I14). An outage goes through and is retried without
 * limit; it uses nothing up. What fails by itself, and what takes its worker along, ends after a bounded number of
 * attempts with a failure of the closed list that names the call.
 */
export class DefectInterceptor implements ActivityInboundCallsInterceptor {
  constructor(
    private readonly context: Context,
    private readonly bounds: Bounds = BOUNDS,
  ) {}

  async execute(input: ActivityExecuteInput, next: Next<ActivityInboundCallsInterceptor, 'execute'>): Promise<unknown> {
    const { info } = this.context;
    const before = triesBefore(info);
    this.refuseLost(before);
    // The first attempt leaves this to its heartbeats: a call that succeeds at once costs none.
    if (info.attempt > 1) this.context.heartbeat(before);
    try {
      return await next(input);
    } catch (error) {
      throw this.judge(error, before);
    }
  }

  private refuseLost(before: Tries): void {
    const { attempt, activityType, heartbeatTimeoutMs } = this.context.info;
    const lost = attempt - 1 - before.ended;
    if (lost < this.bounds.lost) return;
    const silent = heartbeatTimeoutMs === undefined ? '' : `, or did not answer for ${heartbeatTimeoutMs / 1000} s`;
    throw ApplicationFailure.nonRetryable(
      `${lost} attempts in a row were lost: each time the worker of ${activityType} ended${silent}. Nothing else failed. ` +
        'Look for the reason in the log of the agent worker; resuming tries it again.',
      FailureType.Defect,
    );
  }

  private judge(error: unknown, { defects: before }: Tries): unknown {
    const { info, cancellationSignal } = this.context;
    if (cancellationSignal.aborted || error instanceof CancelledFailure) return error;
    if (error instanceof ApplicationFailure && error.nonRetryable) return error;
    if (isOfRemoved(error) || error instanceof NotItsWorkflow) {
      return ApplicationFailure.nonRetryable(redact(error.message), FailureType.NotFound);
    }
    const outage = isOutage(error);
    const defects = before + (outage ? 0 : 1);
    this.context.heartbeat({ defects, ended: info.attempt } satisfies Tries);
    if (outage) return error;
    if (defects >= this.bounds.defects) return this.final(error, defects);
    const failure = ApplicationFailure.fromError(error);
    return ApplicationFailure.fromError(failure, {
      // A library's error may have a name of our closed list, which would end the call here and now.
      type: NON_RETRYABLE.some((type) => type === failure.type)
        ? `${failure.type}, tried again`
        : (failure.type ?? undefined),
      nextRetryDelay: this.bounds.firstDelayMs * BACKOFF ** (defects - 1),
    });
  }

  private final(error: unknown, defects: number): ApplicationFailure {
    const what = describe(error);
    if (error instanceof BoundedError) return ApplicationFailure.nonRetryable(what, error.failsAs);
    const { activityType } = this.context.info;
    return ApplicationFailure.create({
      type: FailureType.Defect,
      message: `${activityType} failed ${defects} times by itself, not for an outage: ${what}`,
      nonRetryable: true,
      cause: error instanceof Error ? error : undefined,
    });
  }
}

function describe(error: unknown): string {
  if (!(error instanceof Error)) return redact(String(error));
  const name = error instanceof ApplicationFailure ? error.type : error.name;
  const said = redact(error.message);
  return error instanceof BoundedError || !name || name === 'Error' ? said : `${name}: ${said}`;
}
