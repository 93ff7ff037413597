import type { UpdateDefinition } from '@temporalio/common';
import { ApplicationFailure, setHandler } from '@temporalio/workflow';

/** How a workflow takes one update. What it objects to is refused with these words, and is not in the history. */
type Handler<Update> =
  Update extends UpdateDefinition<infer Answer, infer Args>
    ? { take: (...args: Args) => Answer | Promise<Answer>; objection: (...args: Args) => string | undefined }
    : never;

type Described = UpdateDefinition<unknown, unknown[]> & { description: string };

/** Sets the handler of each of the updates, in their order. */
export function handleUpdates<Updates extends object>(
  updates: Updates,
  handlers: { [Name in keyof Updates]: Handler<Updates[Name]> },
): void {
  for (const [name, update] of Object.entries(updates) as [keyof Updates, Described][]) {
    const { take, objection } = handlers[name] as Handler<Described>;
    const validator = (...args: unknown[]) => {
      const words = objection(...args);
      if (words !== undefined) throw refusal(words);
    };
    setHandler(update, take, { validator, description: update.description });
  }
}

/** What a workflow answers to a message that it does not take; the API passes the message on. */
export function refusal(message: string): ApplicationFailure {
  return ApplicationFailure.nonRetryable(message, 'Refused');
}
