import type { FinishReason } from '../../../contracts/agent-activities.js';
import { flawInText } from '../../text/json-flaws.js';
import { jsonTextIn, type JsonObject } from '../reply/json-object.js';
import type { Written } from './run-command.js';

const WHY: Partial<Record<FinishReason, string>> = {
  length: ': the reply was cut off at the token limit',
  refused: ': the model would not answer',
};

/**
 * Reads the arguments of a tool from a reply: the object under `arguments`, else the object itself.
 * @param parameters the names of the tool's own: one may be called `arguments`
 */
export function readArguments(reply: string, finishReason: FinishReason, parameters: readonly string[]): Written {
  const found = jsonTextIn(reply);
  if (!found) {
    const mistake = `the arguments of the tool could not be written${WHY[finishReason] ?? ''}`;
    return { mistake, kind: 'unreadable_arguments', text: reply };
  }
  const { object, text } = found;
  return wrapsArguments(object, parameters) ? inner(object.arguments, text) : asWritten(object, text);
}

/** Whether the key `arguments` is the reply's own. If the tool has a parameter of that name, its value decides. */
function wrapsArguments(object: JsonObject, parameters: readonly string[]): boolean {
  if (!Object.hasOwn(object, 'arguments')) return false;
  if (!parameters.includes('arguments')) return true;
  const { arguments: value } = object;
  const held = typeof value === 'string' ? jsonTextIn(value)?.object : value;
  return typeof held === 'object' && held !== null && Object.hasOwn(held, 'arguments');
}

/** Some models write JSON into a text. */
function inner(value: unknown, text: string): Written {
  const found = typeof value === 'string' ? jsonTextIn(value) : undefined;
  return found ? asWritten(found.object, found.text) : asWritten(value, text);
}

/** Arguments, unless JavaScript holds them otherwise than they were written (I16). */
export function asWritten(value: unknown, text: string): Written {
  const flaw = flawInText(text);
  if (flaw === undefined) return { arguments: value, text };
  return { mistake: `the arguments cannot be taken: ${flaw}`, kind: 'invalid_arguments', text };
}
