import type { GenerateAnswerInput } from '../../../contracts/agent-activities.js';
import type { ToolEngineConfig } from '../../../contracts/flow-config.js';
import { FailureType } from '../../../contracts/failures.js';
import { nonRetryable } from '../../failures/non-retryable.js';
import { cutText } from '../../text/cut-text.js';
import type { Produced } from '../../trajectories/turn-store.js';
import { callsOf } from '../module-calls.js';
import type { ModuleDependencies } from '../module-dependencies.js';
import { withImages } from '../module-prompts.js';
import { askedForm } from './asked-form.js';
import { taggedAnswer } from './tagged-answer.js';

/** What the planner's model says to the bare question, without tools. */
export async function baseAnswer(
  dependencies: ModuleDependencies,
  input: GenerateAnswerInput,
): Promise<Produced<{ answer: string }>> {
  const { query, policy } = input;
  const binding = bindingOf(input);
  const calls = callsOf(dependencies, { ...input, cache: false }, 'generator.base');
  const messages = [{ role: 'user' as const, content: askedForm(query) }];
  const { text } = await calls.ask(
    binding,
    { messages: calls.takesImages(binding) ? withImages(messages, query.images) : messages },
    policy,
  );
  return { output: { answer: cutText(taggedAnswer(text)) }, recorded: calls.record() };
}

/** The planner's engine. Tokens that suffice for a plan may not for an answer: a module's, where it has more. */
function bindingOf({ planner, module, greedy }: GenerateAnswerInput): ToolEngineConfig {
  if (!('prompt' in planner)) {
    throw nonRetryable(
      FailureType.BadConfiguration,
      `flow.outputs: base needs a planner that is a model, not ${planner.engine}.`,
    );
  }
  const temperature = greedy ? 0 : planner.temperature;
  const maxTokens = Math.max(planner.max_tokens, 'max_tokens' in module ? module.max_tokens : BASE_TOKENS);
  return { ...planner, engine: planner.engine ?? 'policy', temperature, max_tokens: maxTokens } as ToolEngineConfig;
}

const BASE_TOKENS = 256;
