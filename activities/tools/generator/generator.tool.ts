import { z } from 'zod';
import type { PolicyClient } from '../../engines/policy-client.js';
import { isPromptTooLong } from '../../engines/policy-errors.js';
import { defineTool, mistake, type Tool } from '../tool.js';

const inputSchema = z.strictObject({
  prompt: z
    .string()
    .trim()
    .min(1, 'a question is needed')
    .max(2_000, 'the question is too long')
    .describe('one clear question'),
});

const INSTRUCTION = 'Answer in one short line.';
const MAX_TOKENS = 24;

/** The untrained base model answers from what it knows. */
export function createGeneratorTool(client: PolicyClient): Tool<z.infer<typeof inputSchema>> {
  return defineTool({
    name: 'generator',
    title: 'Generator',
    description: 'answers from general knowledge',
    inputSchema,
    subGoalField: 'prompt',
    metadata: {
      limitations: ['It may invent facts, and has no access to results of other tools.'],
      bestPractices: ['Ask one clear question; check facts that matter with another tool.'],
      demos: [{ purpose: 'general knowledge', arguments: { prompt: 'In which year was the telephone patented?' } }],
    },
    timeoutMs: 600_000,
    run: async ({ prompt }, { model, seed, flowId, turn, signal }) => {
      try {
        const completion = await client.complete(
          {
            model,
            messages: [
              { role: 'system', content: INSTRUCTION },
              { role: 'user', content: prompt },
            ],
            maxTokens: MAX_TOKENS,
            temperature: 0,
            seed,
            flowId,
            turn,
          },
          signal,
        );
        return { result: completion.text.trim().split('\n')[0].trim() || 'no answer' };
      } catch (error) {
        if (isPromptTooLong(error)) return mistake('refused', 'the question is too long');
        throw error;
      }
    },
  });
}
