import { createServer, type RequestListener, type Server } from 'node:http';
import { mkdirSync, mkdtempSync, utimesSync, writeFileSync } from 'node:fs';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import { TestApi } from '../../api/testing/test-api.js';
import { createApiKey } from '../../infra/database/api-keys.js';
import { ApiKey } from '../../infra/database/entities/index.js';
import { stackOptionsFromEnvironment, stackPaths } from '../../infra/local/stack-options.js';
import { checkClock, checkGpu, checkMemory, checkSkew } from './check-machine.js';
import { checkDataDirectory, checkEnvironment, checkOperatorFile } from './check-settings.js';
import { checkApi, checkPorts, checkProcesses } from './check-stack.js';
import { describeFindings } from './doctor.command.js';
import type { Finding } from './finding.js';

const GIB = 1024 ** 3;
const servers: Server[] = [];

afterEach(async () => {
  for (const server of servers.splice(0)) await new Promise((resolve) => server.close(resolve));
});

async function serve(listener: RequestListener): Promise<string> {
  const server = createServer(listener);
  servers.push(server);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

function optionsOf(env: NodeJS.ProcessEnv = {}) {
  const dataDirectory = mkdtempSync(join(tmpdir(), 'doctor-'));
  return stackOptionsFromEnvironment({ AGENTFLOW_DATA: dataDirectory, ...env });
}

const states = (findings: Finding[]) => Object.fromEntries(findings.map(({ part, state }) => [part, state]));

describe('what doctor says of the settings', () => {
  it('a variable with a bad value, and one that is nearly the name of another', () => {
    const findings = checkEnvironment({
      AGENTFLOW_API_URL: 'localhost 8400',
      AGENTFLOW_OPERATER_FILE: '/etc/operator.yaml',
      DATABASE_URL: 'mysql://root:secret-word@db/af',
    });
    expect(findings.map(({ state, command }) => [state, command])).toEqual([
      ['problem', 'unset DATABASE_URL'],
      ['problem', 'unset AGENTFLOW_API_URL'],
      ['warning', 'unset AGENTFLOW_OPERATER_FILE'],
    ]);
    expect(findings[2].message).toContain('did you mean AGENTFLOW_OPERATOR_FILE?');
    expect(JSON.stringify(findings)).not.toContain('secret-word');
  });

  it('nothing of variables that other programs read', () => {
    const env = {
      AGENTFLOW_TRAINER_RANKS: '2',
      AGENTFLOW_MODELS_CACHE: '/models',
      AGENTFLOW_MY_OWN: 'x',
      PATH: '/bin',
    };
    expect(checkEnvironment(env)).toEqual([expect.objectContaining({ state: 'ok' })]);
  });

  it('nothing of port 0, which lets the stack choose a free one', () => {
    expect(checkEnvironment({ AGENTFLOW_API_PORT: '0' })).toEqual([expect.objectContaining({ state: 'ok' })]);
    expect(() => optionsOf({ AGENTFLOW_API_PORT: '70000' })).toThrow(/AGENTFLOW_API_PORT must be a port/);
  });

  it("what is wrong in the operator's file", () => {
    const file = join(mkdtempSync(join(tmpdir(), 'doctor-')), 'operator.yaml');
    writeFileSync(file, 'modles: {}\n');
    expect(() => checkOperatorFile({ AGENTFLOW_OPERATOR_FILE: file })).toThrow(/modles/);
  });

  it('a data directory whose place is taken by a file', () => {
    const options = optionsOf();
    const { logs } = stackPaths(options.dataDirectory);
    writeFileSync(logs, '');
    expect(() => checkDataDirectory(options)).toThrow(logs);
  });
});

describe('what doctor says of the machine', () => {
  it('memory that does not suffice for a start, and none of that while the stack has it', () => {
    expect(checkMemory(false, 1 * GIB)).toEqual([expect.objectContaining({ state: 'warning' })]);
    expect(checkMemory(false, 16 * GIB)).toEqual([expect.objectContaining({ state: 'ok' })]);
    expect(checkMemory(true, 1 * GIB)).toEqual([expect.objectContaining({ state: 'ok' })]);
  });

  it('a GPU that PyTorch cannot use', async () => {
    const machine = (gpu: string | undefined, torch: string) => async (program: string) =>
      program === 'nvidia-smi' ? gpu : torch;
    expect(await checkGpu(machine(undefined, ''))).toEqual([expect.objectContaining({ state: 'ok' })]);
    expect(await checkGpu(machine('A, 80 GiB, 550\n', 'True\n'))).toEqual([expect.objectContaining({ state: 'ok' })]);
    const [finding] = await checkGpu(machine('A, 80 GiB, 470\nB, 24 GiB, 470\n', 'False\n'));
    expect(finding).toMatchObject({
      state: 'warning',
      message: expect.stringContaining('A, 80 GiB, 470; B, 24 GiB, 470'),
    });
  });

  it('a clock that was set back since the stack wrote its files', () => {
    const options = optionsOf();
    mkdirSync(stackPaths(options.dataDirectory).logs);
    expect(checkClock(options)).toEqual([expect.objectContaining({ state: 'ok' })]);
    const tomorrow = Date.now() / 1000 + 86_400;
    utimesSync(stackPaths(options.dataDirectory).logs, tomorrow, tomorrow);
    expect(checkClock(options)).toEqual([expect.objectContaining({ state: 'warning' })]);
  });

  it.each([
    ['Mon, 30 Nov 2026 12:00:00 GMT', '12:10', /600 s behind/],
    ['Mon, 30 Nov 2026 12:10:00 GMT', '12:00', /600 s ahead/],
    ['Mon, 30 Nov 2026 12:00:30 GMT', '12:00', undefined],
    ['yesterday', '12:00', undefined],
    [null, '12:00', undefined],
  ])('the clock of the API says %s, here it is %s', (date, here, told) => {
    const findings = checkSkew(date, Date.parse(`2026-11-30T${here}:00Z`));
    expect(findings.map(({ message }) => message)).toEqual(told ? [expect.stringMatching(told)] : []);
  });
});

describe('what doctor says of ports and processes', () => {
  it('a port that another program holds, with the variable that chooses another', async () => {
    const url = await serve((_, response) => response.end());
    const { port } = new URL(url);
    const ports = { AGENTFLOW_POSTGRES_PORT: '0', AGENTFLOW_TEMPORAL_PORT: '0', AGENTFLOW_TEMPORAL_UI_PORT: '0' };
    const findings = await checkPorts(
      optionsOf({ ...ports, AGENTFLOW_POLICY_SERVER_PORT: '0', AGENTFLOW_API_PORT: port }),
    );
    expect(findings).toEqual([
      expect.objectContaining({ state: 'problem', command: 'AGENTFLOW_API_PORT=0 npm run up' }),
    ]);
    expect(findings[0].message).toContain(`process ${process.pid}`);
  });

  it('nothing of ports that exist elsewhere', async () => {
    const { port } = new URL(await serve((_, response) => response.end()));
    const elsewhere = {
      DATABASE_URL: 'postgres://u:p@db/af',
      TEMPORAL_ADDRESS: 'temporal:7233',
      AGENTFLOW_POLICY_SERVER_URL: 'http://gpu:8460',
      AGENTFLOW_POSTGRES_PORT: port,
      AGENTFLOW_TEMPORAL_PORT: port,
      AGENTFLOW_TEMPORAL_UI_PORT: port,
      AGENTFLOW_POLICY_SERVER_PORT: port,
      AGENTFLOW_API_PORT: '0',
    };
    expect(await checkPorts(optionsOf(elsewhere))).toEqual([expect.objectContaining({ state: 'ok' })]);
  });

  it('a stack that does not run', () => {
    expect(checkProcesses(optionsOf())).toEqual([expect.objectContaining({ state: 'warning', command: 'npm run up' })]);
  });
});

describe('what doctor says of the API', () => {
  let api: TestApi;
  beforeAll(async () => {
    api = await TestApi.start();
  });
  afterAll(async () => api.stop());

  it('all is well', async () => {
    const findings = await checkApi(async () => ({ url: api.url, key: api.key }));
    expect(states(findings)).toEqual({ API: 'ok', database: 'ok', temporal: 'ok', key: 'ok' });
  });

  it('a key that is refused: why, and what gives another', async () => {
    const { dataSource } = api.database;
    const revoked = await createApiKey(dataSource, 'default', { name: 'revoked' });
    await dataSource.getRepository(ApiKey).update({ name: 'revoked' }, { revokedAt: new Date() });
    const expired = await createApiKey(dataSource, 'default', { expiresAt: new Date() });
    for (const [key, env, message, command] of [
      [revoked, {}, 'it was revoked', 'npm run up'],
      [expired, {}, 'it has expired', 'npm run up'],
      [revoked, { AGENTFLOW_API_KEY: revoked }, 'it was revoked', 'unset AGENTFLOW_API_KEY'],
      ['af-of-another-stack', {}, expect.stringContaining('does not know it'), 'npm run up'],
      [
        'af-x',
        { AGENTFLOW_API_KEY: 'af-x', AGENTFLOW_API_URL: api.url },
        expect.anything(),
        'unset AGENTFLOW_API_KEY AGENTFLOW_API_URL',
      ],
    ] as const) {
      const findings = await checkApi(async () => ({ url: api.url, key }), env);
      expect(states(findings)).toMatchObject({ API: 'ok', key: 'problem' });
      expect(findings.find(({ part }) => part === 'key')).toMatchObject({ message, command });
    }
  });

  it('nothing that answers', async () => {
    const url = await serve(() => undefined);
    await new Promise((resolve) => servers.pop()?.close(resolve));
    const findings = await checkApi(async () => ({ url, key: api.key }));
    expect(findings).toEqual([expect.objectContaining({ part: 'API', state: 'problem', command: 'npm run status' })]);
    expect(findings[0].message).toContain('ECONNREFUSED');
  });

  it.each<[string, RequestListener]>([
    ['another program', (_, response) => response.end('<html>hello</html>')],
    ['one that answers JSON', (_, response) => response.end('{"status":"ok"}')],
    ['one that redirects', (_, response) => response.writeHead(302, { Location: 'https://example.org' }).end()],
  ])('%s at its address', async (_, listener) => {
    const url = await serve(listener);
    expect(await checkApi(async () => ({ url, key: 'k' }))).toEqual([
      expect.objectContaining({ part: 'API', state: 'problem', message: expect.stringContaining('another program') }),
    ]);
  });

  it('a part that is down', async () => {
    const details = {
      database: { status: 'down', message: 'The database does not answer.' },
      temporal: { status: 'up' },
    };
    const url = await serve((request, response) =>
      response.writeHead(request.url === '/health' ? 503 : 200).end(JSON.stringify({ details })),
    );
    const findings = await checkApi(async () => ({ url, key: 'k' }));
    expect(states(findings)).toMatchObject({ database: 'problem', temporal: 'ok' });
    expect(findings[1].message).toBe('The database does not answer.');
  });
});

describe('the report', () => {
  it('has a line a finding, and one with the command', () => {
    const lines = describeFindings([
      { part: 'disk', state: 'ok', message: '/data: 10 MiB free' },
      { part: 'stack', state: 'warning', message: 'it does not run', command: 'npm run up' },
    ]);
    expect(lines).toEqual([
      'ok       disk   /data: 10 MiB free',
      'WARNING  stack  it does not run',
      '                mend it: npm run up',
      '0 problems, 1 warnings.',
    ]);
  });
});
