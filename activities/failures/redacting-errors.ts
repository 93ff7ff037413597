import { redact } from './redact.js';

type Activity = (...args: never[]) => Promise<unknown>;

/** The same activities; what they throw carries no credentials into a history or a log (I6). */
export function redactingErrors<Activities extends object>(activities: Activities): Activities {
  const wrapped = Object.entries(activities as Record<string, Activity>).map(([name, activity]) => [
    name,
    async (...args: never[]) => {
      try {
        return await activity(...args);
      } catch (error) {
        throw redactError(error);
      }
    },
  ]);
  return Object.fromEntries(wrapped) as Activities;
}

function redactError(error: unknown): unknown {
  if (!(error instanceof Error)) return typeof error === 'string' ? redact(error) : error;
  error.message = redact(error.message);
  if (error.stack) error.stack = redact(error.stack);
  if (error.cause !== undefined) error.cause = redactError(error.cause);
  return error;
}
