import { CliError } from './cli-error.js';
import type { CliContext } from './context.js';

/**
 * Says what is about to be deleted (or revoked) for good, and asks for its id.
 * @param what belongs to it, as in `its name and status`
 * @throws CliError without the user's consent
 */
export async function requireConsent(
  context: CliContext,
  id: string,
  what: string,
  verb: 'delete' | 'revoke' = 'delete',
): Promise<void> {
  context.print(`This ${verb}s ${id} for good: ${what}`);
  const answer = await context.ask(`Type its id, ${id}, to ${verb} it: `);
  const nothing = `Nothing was ${verb}d`;
  if (answer === undefined)
    throw new CliError(`${nothing}: there is no terminal to ask on. Add --yes to ${verb} without a question.`);
  if (answer.trim() !== id) throw new CliError(`${nothing}: the answer is not ${id}.`);
}

/** What is told after a deletion. */
export function deleted(id: string): string {
  return `Deleted ${id}. Its files and rows are removed in the background, also after a restart of the stack.`;
}
