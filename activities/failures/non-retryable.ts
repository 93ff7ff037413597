import { ApplicationFailure } from '@temporalio/common';
import type { FailureType } from '../../contracts/failures.js';
import { redact } from '../../infra/redaction/redact.js';

/** A failure that no retry can mend, by its type on the closed list. Whatever else is thrown is infrastructure (I2). */
export function nonRetryable(type: FailureType, message: string): ApplicationFailure {
  return ApplicationFailure.nonRetryable(redact(message), type);
}
