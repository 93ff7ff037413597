import { setTimeout as sleep } from 'node:timers/promises';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from '@jest/globals';
import { readEnvironment } from '../../../infra/config/environment.js';
import { pythonSection } from '../../../infra/config/operator/python.js';
import { runTool } from '../run-tool.js';
import type { ToolContext, ToolOutcome } from '../tool.js';
import { InterpreterPool } from './interpreter-pool.js';
import { Interpreter, InterpreterLost, type ProgramOutcome } from './interpreter.js';
import { createPythonCoderTool } from './python-coder.tool.js';

const limits = pythonSection.parse({});
const libraries = join(readEnvironment(['AGENTFLOW_CACHE']).AGENTFLOW_CACHE, 'python-sandbox');
const SLOW = 300_000;

function context(seed = '7', signal = new AbortController().signal): ToolContext {
  return { flowId: 'f', turn: 1, dataset: { name: 'atlas', seed: 7 }, seed, signal } as ToolContext;
}

describe('python_coder on real interpreters', () => {
  const pool = new InterpreterPool(limits, libraries);
  const tool = createPythonCoderTool(pool, limits);
  const runCode = (code: string, seed?: string): Promise<ToolOutcome> => runTool(tool, { code }, context(seed));

  afterAll(() => pool.close());

  it(
    'returns what was printed and the value of the last expression; sympy and mpmath are there',
    async () => {
      const code = 'import sympy, mpmath\nmpmath.mp.dps = 30\nprint(mpmath.pi)\nsympy.factorint(2**64 - 1)';
      expect(await runCode(code)).toEqual({
        result: '3.14159265358979323846264338328\n{3: 1, 5: 1, 17: 1, 257: 1, 641: 1, 65537: 1, 6700417: 1}',
      });
      expect(await runCode('```python\nprint("é ∑ 😀")\n```')).toEqual({ result: 'é ∑ 😀' });
      expect(await runCode('x = 1')).toEqual({ result: 'the program printed nothing' });
    },
    SLOW,
  );

  it(
    'tells the planner what a program raised, with its own lines and what it had printed',
    async () => {
      const outcome = await runCode('print("before")\ndef f(n):\n    return 1 / n\nf(0)');
      expect(outcome).toMatchObject({ kind: 'failed' });
      expect(outcome.mistake).toMatch(/File "<program>", line 3, in f[^]*ZeroDivisionError[^]*printed before: before/);
      expect((await runCode('1 +')).mistake).toMatch(/SyntaxError/);
    },
    SLOW,
  );

  it(
    'I5: gives the same output on every attempt: random numbers, hashes, clock',
    async () => {
      const code = 'import random, time, os\nprint(random.random(), hash("a"), time.time(), os.urandom(4).hex())';
      const [first, again, other] = await Promise.all([runCode(code), runCode(code), runCode(code, '8')]);
      expect(again).toEqual(first);
      expect(other).not.toEqual(first);
    },
    SLOW,
  );

  it(
    'begins every program with nothing of the one before',
    async () => {
      const leave = 'import builtins, sympy\nbuiltins.left = sympy.left = 1';
      for (const code of [leave, leave]) {
        const look = `import builtins, sympy\nprint(hasattr(builtins, "left"), hasattr(sympy, "left"))\n${code}`;
        expect(await runCode(look)).toEqual({ result: 'False False' });
      }
    },
    SLOW,
  );

  it(
    'ends a program whose call is cancelled, and goes on',
    async () => {
      const controller = new AbortController();
      const running = runTool(tool, { code: 'while True: pass' }, context('7', controller.signal));
      await sleep(100);
      controller.abort(new Error('cancelled'));
      await expect(running).rejects.toThrow('cancelled');
      expect(await runCode('6 * 7')).toEqual({ result: '42' });
    },
    SLOW,
  );
});

describe(Interpreter, () => {
  it(
    'is an outage where it cannot start, and where something else ends it',
    async () => {
      const unable = new Interpreter(limits, process.cwd());
      await expect(unable.ready).rejects.toThrow(InterpreterLost);
      const interpreter = new Interpreter(limits, libraries);
      await interpreter.ready;
      const running = interpreter.run({ code: 'while True: pass', seed: 1 }, new AbortController().signal);
      await sleep(100);
      interpreter.kill();
      await expect(running).rejects.toThrow(/A Python interpreter ended: SIGKILL/);
    },
    SLOW,
  );
});

describe('python_coder', () => {
  it.each([
    ['raised', 'failed', /^error\nprinted before: output$/],
    ['crashed', 'failed', /nests or recurses too deeply/],
    ['time_limit', 'time_limit', /longer than 10 s/],
    ['memory_limit', 'memory_limit', /more than 512 MB/],
    ['output_limit', 'output_limit', /prints too much/],
  ] as const)('names the outcome %s', async (status, kind, words) => {
    const outcome: ProgramOutcome = { status, output: 'output', error: 'error' };
    const tool = createPythonCoderTool({ run: () => Promise.resolve(outcome) }, limits);
    expect(await runTool(tool, { code: 'x' }, context())).toEqual({ kind, mistake: expect.stringMatching(words) });
  });

  it.each([{}, { code: '' }, { code: 7 }, { code: 'x'.repeat(20_001) }, { code: 'x', stdin: 'y' }, 'x'])(
    'refuses the arguments %j without running anything',
    async (input) => {
      const tool = createPythonCoderTool({ run: () => Promise.reject(new Error('must not run')) }, limits);
      expect(await runTool(tool, input, context())).toMatchObject({ kind: 'invalid_arguments' });
    },
  );
});
