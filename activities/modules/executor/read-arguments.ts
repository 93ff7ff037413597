import type { FinishReason } from '../../../workflows/contracts/agent-activities.js';
import { jsonObjectIn, type JsonObject } from '../reply/json-object.js';
import type { Written } from './run-command.js';

const WHY: Partial<Record<FinishReason, string>> = {
  length: ': the reply was cut off at the token limit',
  refused: ': the model would not answer',
};

/** Reads the arguments of a tool from a reply: the object under `arguments`, else the object itself. */
export function readArguments(reply: string, finishReason: FinishReason): Written {
  const object = jsonObjectIn(reply);
  if (!object) {
    return { mistake: `the arguments of the tool could not be written${WHY[finishReason] ?? ''}`, text: reply };
  }
  return { arguments: 'arguments' in object ? inner(object.arguments) : object };
}

/** Some models write JSON into a text. */
function inner(value: unknown): unknown {
  if (typeof value !== 'string') return value;
  const parsed: JsonObject | undefined = jsonObjectIn(value);
  return parsed ?? value;
}
