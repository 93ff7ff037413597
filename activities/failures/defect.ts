import type { FailureType } from '../../contracts/failures.js';

/** An error of ours that retries are not known to mend: after a bounded number of attempts its call fails with it (I14). */
export class BoundedError extends Error {
  /** @param failsAs the type of the failure that the workflow then sees */
  constructor(
    readonly failsAs: FailureType,
    message: string,
  ) {
    super(message);
  }
}
