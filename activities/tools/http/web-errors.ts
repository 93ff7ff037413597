import type { CallMistakeKind } from '../../../contracts/mistakes.js';
import { Outage } from '../../failures/outage.js';

/** The web client does not fetch this, now or ever. The message is words for the planner. */
export class WebRefused extends Error {
  override name = 'WebRefused';
  constructor(
    readonly kind: CallMistakeKind,
    message: string,
  ) {
    super(message);
  }
}

/** The site does not answer, or answers that it cannot now. Another try may help. */
export class SiteUnavailable extends Outage {
  override name = 'SiteUnavailable';
  constructor(
    message: string,
    /** What the site asked for. */
    readonly retryAfterMs?: number,
  ) {
    super(message);
  }
}
