import { z } from 'zod';
import type { PythonLimits } from '../../../infra/config/operator/python.js';
import { defineTool, mistake, type Tool, type ToolOutcome } from '../tool.js';
import type { ProgramOutcome } from './interpreter.js';
import type { InterpreterPool } from './interpreter-pool.js';

const inputSchema = z.strictObject({
  code: z
    .string()
    .trim()
    .min(1, 'a program is needed')
    .max(20_000, 'the program is too long')
    .describe('a complete Python program that prints its result'),
});

/** Waiting for a free interpreter included, and within the time of an activity. The program's own limit is the operator's. */
const TIMEOUT_MS = 840_000;
/** Of a traceback: its end says what happened. */
const ERROR_CHARACTERS = 1_200;

/** Runs a program that a language model wrote, in the sandbox (I10). */
export function createPythonCoderTool(
  pool: Pick<InterpreterPool, 'run'>,
  limits: PythonLimits,
): Tool<z.infer<typeof inputSchema>> {
  return defineTool({
    name: 'python_coder',
    title: 'Python_Coder',
    description: 'runs a Python program and returns what it prints; sympy and mpmath are there',
    inputSchema,
    subGoalField: 'code',
    metadata: {
      limitations: [
        'The standard library, sympy and mpmath are all there is: no network, no files, no other processes, no threads.',
        `A program has ${limits.time_s} s and ${limits.memory_mb} MB, and begins with nothing of earlier ones.`,
        'Its clock and date are made up.',
      ],
      bestPractices: [
        'Write a complete program with all its data, and print the result with a few words.',
        'Prefer exact arithmetic: integers, fractions, sympy.',
      ],
      demos: [
        {
          purpose: 'the real solutions of an equation',
          arguments: { code: "import sympy\nx = sympy.symbols('x', real=True)\nprint(sympy.solve(x**3 - 2*x, x))" },
        },
      ],
    },
    timeoutMs: TIMEOUT_MS,
    run: async ({ code }, { seed, signal }) =>
      toToolOutcome(
        await pool.run({ code: withoutFence(code), seed: Number(BigInt.asUintN(32, BigInt(seed))) }, signal),
        limits,
      ),
  });
}

function toToolOutcome({ status, output, error }: ProgramOutcome, limits: PythonLimits): ToolOutcome {
  switch (status) {
    case 'finished':
      return { result: output.trim() || 'the program printed nothing' };
    case 'raised':
      return mistake('failed', withOutput(error.slice(-ERROR_CHARACTERS), output));
    case 'crashed':
      return mistake('failed', 'the interpreter broke: the program nests or recurses too deeply');
    case 'time_limit':
      return mistake('time_limit', `the program ran longer than ${limits.time_s} s`);
    case 'memory_limit':
      return mistake('memory_limit', withOutput(`the program needs more than ${limits.memory_mb} MB`, output));
    case 'output_limit':
      return mistake('output_limit', withOutput('the program prints too much', output));
  }
}

function withOutput(words: string, output: string): string {
  return output.trim() === '' ? words : `${words}\nprinted before: ${output.trim()}`;
}

/** Models like to put a program into a Markdown fence. */
function withoutFence(code: string): string {
  return /^```[\w-]*\n([^]*?)\n?```$/.exec(code)?.[1] ?? code;
}
