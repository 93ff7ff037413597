import { FailureType } from '../../../contracts/failures.js';
import { nonRetryable } from '../../failures/non-retryable.js';
import type { ChatMessage } from '../chat.js';

/**
 * Refuses a prompt that cannot fit, before anything is sent. How many tokens it has only the provider knows; it has at
 * least one for each word, for tokenizers make no token of two words that white space parts. So what is refused here is
 * too long for certain, and what is not may still be: then the provider says so (provider-errors.ts).
 * Fails with PromptTooLong.
 * @param context tokens of prompt and reply together
 */
export function requireRoom(model: string, messages: readonly ChatMessage[], context: number): void {
  const words = messages.reduce((sum, { content }) => sum + (content.match(/\S+/g)?.length ?? 0), 0);
  if (words < context) return;
  throw nonRetryable(
    FailureType.PromptTooLong,
    `${model}: a prompt of ${words} words, which are as many tokens at least, leaves no room for a reply in a context of ${context} tokens.`,
  );
}
