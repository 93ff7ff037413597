import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type Server } from 'node:net';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { readEnvironment } from '../../../infra/config/environment.js';
import { InterpreterPool } from './interpreter-pool.js';
import type { ProgramOutcome } from './interpreter.js';
import { hostilePrograms, type HostileProgram } from './testing/hostile-programs.js';

const MARK = 'marked-secret-5f1d';
const HONEST = `import sympy
x = sympy.symbols('x')
print('sum', sum(range(10)))
sympy.integrate(x * sympy.exp(x), x)`;

const limits = { interpreters: 2, memory_mb: 256, time_s: 3 };
const pool = new InterpreterPool(limits, join(readEnvironment(['AGENTFLOW_CACHE']).AGENTFLOW_CACHE, 'python-sandbox'));
const run = (code: string): Promise<ProgramOutcome> => pool.run({ code, seed: 7 }, new AbortController().signal);

describe('I10: hostile programs', () => {
  const directory = mkdtempSync(join(tmpdir(), 'sandbox-'));
  const file = join(directory, 'secret');
  const newFile = join(directory, 'written');
  let server: Server;
  let connections = 0;
  let programs: HostileProgram[];

  beforeAll(async () => {
    process.env.AGENTFLOW_SANDBOX_MARK = MARK;
    writeFileSync(file, MARK);
    server = createServer((socket) => {
      connections += 1;
      socket.destroy();
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    programs = hostilePrograms({ port: (server.address() as AddressInfo).port, file, newFile });
  });

  afterAll(async () => {
    pool.close();
    delete process.env.AGENTFLOW_SANDBOX_MARK;
    rmSync(directory, { recursive: true });
    await new Promise((resolve) => server.close(resolve));
  });

  it('are contained, each with a named outcome; the next program is run as if nothing had been', async () => {
    expect(programs.length).toBeGreaterThanOrEqual(40);
    const outcomes = await Promise.all(programs.map(({ code }) => run(code)));
    const surprises = programs.flatMap(({ name, statuses, shows }, index) => {
      const { status, output, error } = outcomes[index];
      const said = `${output}${error}`;
      const asExpected = statuses.includes(status) && (shows?.test(said) ?? true) && !said.includes(MARK);
      return asExpected && said.length < 100_000 ? [] : [{ name, status, said: said.slice(0, 500) }];
    });
    expect(surprises).toEqual([]);
    expect(connections).toBe(0);
    expect(existsSync(newFile)).toBe(false);
    expect(await run(HONEST)).toEqual({ status: 'finished', output: 'sum 45\n(x - 1)*exp(x)\n', error: '' });
  }, 900_000);
});
