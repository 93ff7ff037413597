import { CliError } from './cli-error.js';
import type { CliContext } from './context.js';

/**
 * Says what is about to be deleted for good, and asks for its id.
 * @param what belongs to it, as in `its name and status`
 * @throws CliError without the user's consent
 */
export async function requireConsent(context: CliContext, id: string, what: string): Promise<void> {
  context.print(`This deletes ${id} for good: ${what}`);
  const answer = await context.ask(`Type its id, ${id}, to delete it: `);
  if (answer === undefined)
    throw new CliError('Nothing was deleted: there is no terminal to ask on. Add --yes to delete without a question.');
  if (answer.trim() !== id) throw new CliError(`Nothing was deleted: the answer is not ${id}.`);
}

/** What is told after a deletion. */
export function deleted(id: string): string {
  return `Deleted ${id}. Its files and rows are removed in the background, also after a restart of the stack.`;
}
