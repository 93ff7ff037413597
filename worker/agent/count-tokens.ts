import { existsSync } from 'node:fs';
import { z } from 'zod';
import type { TokenCounts } from '../../activities/datasets/lengths.js';
import { compactPrompt } from '../../activities/modules/planner/planner-prompt.js';
import { createTools } from '../../activities/tools/index.js';
import { trainingFlowSchema } from '../../contracts/flow-config.js';
import { PYTHON } from '../../infra/local/installed.js';
import { modelsEnvironment } from '../../infra/local/models-environment.js';
import { outcomeOf, startPython } from '../../infra/local/start-python.js';

/** In the place of the question. No prompt holds it otherwise. */
const PLACEHOLDER = '\u{F0000}question\u{F0000}';

const countsSchema = z.strictObject({ context: z.int(), prompt: z.int(), questions: z.array(z.int()) });

/** Tokens cannot be counted; the message says why, and what to do. */
export class TokensNotCounted extends Error {
  override readonly name = 'TokensNotCounted';
}

/**
 * Counts tokens as the policy server would: of questions in the planner's first prompt, which is that of a
 * configuration without a word about the flow.
 * @param model a registered model
 * @throws TokensNotCounted
 */
export async function countTokens(model: string, questions: readonly string[]): Promise<TokenCounts> {
  const { tools, planner, max_turns } = trainingFlowSchema.parse({});
  const messages = compactPrompt(PLACEHOLDER, createTools().select(tools), [], max_turns);
  const counts = await askPython(model, { messages, placeholder: PLACEHOLDER, questions });
  return { model, plan: planner.max_tokens, ...counts };
}

async function askPython(model: string, request: object): Promise<z.infer<typeof countsSchema>> {
  if (!existsSync(PYTHON))
    throw new TokensNotCounted(`there is no Python environment (${PYTHON}); make it with: npm run setup`);
  const child = startPython('flow_grpo.token_counts', [model], { ...process.env, ...modelsEnvironment() });
  // A process that ends before it has read its input says why on its standard error.
  child.stdin.on('error', () => undefined).end(JSON.stringify(request));
  const { output, errors, code, signal } = await outcomeOf(child);
  if (code === 0) return countsSchema.parse(JSON.parse(output));
  throw new TokensNotCounted(errors.trim().split(/[\r\n]/).at(-1) || `the tokenizer's process ended with ${signal ?? code}`); // prettier-ignore
}
