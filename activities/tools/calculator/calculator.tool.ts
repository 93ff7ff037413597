import { z } from 'zod';
import type { Tool } from '../tool.js';
import { evaluateArithmetic, NotArithmetic } from './evaluate.js';

const inputSchema = z.strictObject({
  expression: z.string().trim().min(1, 'an expression is needed').max(200, 'the expression is too long'),
});

export const calculator: Tool<typeof inputSchema> = {
  name: 'calculator',
  title: 'Calculator',
  description: 'evaluates arithmetic such as 12*7',
  inputSchema,
  subGoalField: 'expression',
  timeoutMs: 1_000,
  run: async ({ expression }) => {
    try {
      return { result: evaluateArithmetic(expression) };
    } catch (error) {
      if (error instanceof NotArithmetic) return { mistake: error.message };
      throw error;
    }
  },
};
