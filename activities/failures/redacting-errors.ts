import { TemporalFailure } from '@temporalio/common';
import { wellFormed } from '../../infra/database/well-formed.js';
import { redact } from '../../infra/redaction/redact.js';

type Activity = (...args: never[]) => Promise<unknown>;

/**
 * The same activities; what they throw carries no credentials into a history or a log (I6), and no half of a character:
 * the worker ends where it is to send one to Temporal, and takes all other calls along.
 */
export function redactingErrors<Activities extends object>(activities: Activities): Activities {
  const wrapped = Object.entries(activities as Record<string, Activity>).map(([name, activity]) => [
    name,
    async (...args: never[]) => {
      try {
        return await activity(...args);
      } catch (error) {
        throw redacted(error);
      }
    },
  ]);
  return Object.fromEntries(wrapped) as Activities;
}

/** Deeper than any body of an error that a person reads. */
const DEPTH = 8;

/**
 * Cleans an error in place, and what libraries attach to it: its causes, details, headers and bodies. Objects that are
 * no data, such as a request with its client, may be in use and full of keys: they are left whole, and off the error.
 */
function redactError(error: Error, seen: WeakSet<Error>): Error {
  if (seen.has(error)) return error;
  seen.add(error);
  for (const name of Object.getOwnPropertyNames(error)) {
    const property: PropertyDescriptor = Object.getOwnPropertyDescriptor(error, name)!;
    if (!property.writable || (error instanceof TemporalFailure && name === 'failure')) continue;
    (error as unknown as Record<string, unknown>)[name] = redacted(property.value, seen);
  }
  return error;
}

function redacted(value: unknown, seen = new WeakSet<Error>(), depth = DEPTH): unknown {
  if (typeof value === 'string') return wellFormed(redact(value));
  if (value instanceof Error) return redactError(value, seen);
  if (typeof value !== 'object' || value === null) return value;
  if (depth === 0) return undefined;
  if (Array.isArray(value)) return value.map((item) => redacted(item, seen, depth - 1));
  if (!isData(value)) return undefined;
  const entries = Object.entries(value).map(([name, of]) => [wellFormed(redact(name)), redacted(of, seen, depth - 1)]);
  return Object.fromEntries(entries);
}

function isData(value: object): boolean {
  const prototype: unknown = Object.getPrototypeOf(value);
  return prototype === null || prototype === Object.prototype;
}
