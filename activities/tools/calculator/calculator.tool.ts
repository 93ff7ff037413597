import { z } from 'zod';
import { defineTool, mistake } from '../tool.js';
import { evaluateArithmetic, NotArithmetic } from './evaluate.js';

const inputSchema = z.strictObject({
  expression: z
    .string()
    .trim()
    .min(1, 'an expression is needed')
    .max(200, 'the expression is too long')
    .describe('numbers, + - * / and parentheses'),
});

export const calculator = defineTool({
  name: 'calculator',
  title: 'Calculator',
  description: 'evaluates arithmetic such as 12*7',
  inputSchema,
  subGoalField: 'expression',
  metadata: {
    limitations: ['Numbers, + - * / and parentheses only: no names, functions, powers or units.'],
    bestPractices: ['Write out every number; look facts up first.'],
    demos: [{ purpose: 'seven dozen', arguments: { expression: '12 * 7' } }],
  },
  timeoutMs: 1_000,
  run: async ({ expression }) => {
    try {
      return { result: evaluateArithmetic(expression) };
    } catch (error) {
      if (error instanceof NotArithmetic) return mistake('refused', error.message);
      throw error;
    }
  },
});
