import { z } from 'zod';
import { isPromptTooLong } from '../../engines/policy-errors.js';
import { defineTool, mistake, type ToolContext } from '../tool.js';

const inputSchema = z.strictObject({
  prompt: z
    .string()
    .trim()
    .min(1, 'a question is needed')
    .max(2_000, 'the question is too long')
    .describe('one clear question'),
});

const INSTRUCTIONS: Record<ToolContext['promptStyle'], string> = {
  compact: 'Answer in one short line.',
  full: 'Answer from your own knowledge, step by step where that helps. Say what you are not sure of.',
};

/** A language model answers from what it knows. */
export const generator = defineTool({
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
  asksModel: true,
  run: async ({ prompt }, context) => {
    try {
      const { promptStyle } = context;
      const text = (await context.generate({ instruction: INSTRUCTIONS[promptStyle], prompt })).trim();
      return { result: (promptStyle === 'compact' ? text.split('\n')[0].trim() : text) || 'no answer' };
    } catch (error) {
      if (isPromptTooLong(error)) return mistake('refused', 'the question is too long');
      throw error;
    }
  },
});
