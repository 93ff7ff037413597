import { ApplicationFailure, ApplicationFailureCategory } from '@temporalio/common';
import { OutageType } from '../failures/outage.js';

/** Of one webhook, in this worker: a quarter of the slots that it has for all webhooks. */
const MOST = 16;
const WAIT_MS = { least: 2_000, most: 6_000 };

/**
 * What is being sent to each webhook. A receiver that is slow or dead has few of the worker's slots: an attempt more than that
 * gives its own back at once and comes again, which counts as no attempt.
 */
export class OpenSends {
  private readonly open = new Map<string, number>();

  /** @throws a retryable ServiceUnavailable if it is the webhook's turn later */
  async of<Result>(webhook: string, send: () => Promise<Result>): Promise<Result> {
    const before = this.open.get(webhook) ?? 0;
    if (before >= MOST) throw later(webhook);
    this.open.set(webhook, before + 1);
    try {
      return await send();
    } finally {
      const after = this.open.get(webhook)! - 1;
      if (after === 0) this.open.delete(webhook);
      else this.open.set(webhook, after);
    }
  }
}

function later(webhook: string): ApplicationFailure {
  return ApplicationFailure.create({
    type: OutageType.ServiceUnavailable,
    message: `${MOST} deliveries are being sent to ${webhook}: this one waits for its turn`,
    nextRetryDelay: WAIT_MS.least + Math.random() * (WAIT_MS.most - WAIT_MS.least),
    category: ApplicationFailureCategory.BENIGN,
  });
}
