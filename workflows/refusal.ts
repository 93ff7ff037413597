import { ApplicationFailure } from '@temporalio/workflow';

/** What a run answers to a message that it does not take; the API passes the message on. */
export function refusal(message: string): ApplicationFailure {
  return ApplicationFailure.nonRetryable(message, 'Refused');
}
