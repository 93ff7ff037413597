import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';
import { status } from './commands/status.js';
import { identifySelf, type ProcessIdentity } from './process-identity.js';
import { findRunningStack } from './running-stack.js';
import { stackPaths } from './stack-options.js';
import { writeStackRecord, type StackUrls } from './stack-record.js';
import { claimSupervision } from './supervision.js';

const URLS: StackUrls = {
  api: 'http://127.0.0.1:8400',
  docs: 'http://127.0.0.1:8400/docs',
  temporal: '127.0.0.1:7233',
  database: 'postgres://agentflow:p@127.0.0.1:8432/agentflow',
  policyServer: 'http://127.0.0.1:8460',
};

/** What a SIGKILLed supervisor leaves is read while the next one holds the lock and has not come up. */
describe('the addresses on record', () => {
  let data: string;
  let supervision: { release(): void };

  beforeEach(() => {
    data = mkdtempSync(join(tmpdir(), 'agentflow-running-'));
    process.env['AGENTFLOW_DATA'] = data;
    supervision = claimSupervision(data);
    jest.spyOn(console, 'log').mockImplementation(() => undefined);
  });
  afterEach(() => {
    supervision.release();
    jest.restoreAllMocks();
    delete process.env['AGENTFLOW_DATA'];
    rmSync(data, { recursive: true });
  });

  const record = (supervisor?: ProcessIdentity) =>
    writeStackRecord(stackPaths(data).record, { supervisor, children: {}, urls: URLS });
  const said = () =>
    jest
      .mocked(console.log)
      .mock.calls.map(([line]) => String(line))
      .join('\n');

  it.each<[string, () => ProcessIdentity | undefined]>([
    ['nobody', () => undefined],
    ['a process that is gone', () => ({ pid: 4_194_305, startTime: '1' })],
    ['an earlier process with the same pid', () => ({ ...identifySelf(), startTime: '1' })],
  ])('of %s are not those of the supervisor that runs', async (_, supervisor) => {
    record(supervisor());
    expect(findRunningStack(data)).toBeUndefined();
    expect(await status()).toBe(3);
    expect(said()).toContain(`supervisor     running, pid ${process.pid}`);
    expect(said()).not.toContain(URLS.api);
  });

  it('of the supervisor that runs count until it ends', async () => {
    record(identifySelf());
    expect(findRunningStack(data)).toMatchObject({ supervisor: identifySelf(), urls: URLS });
    expect(await status()).toBe(0);
    expect(said()).toContain(URLS.api);
    supervision.release();
    expect(findRunningStack(data)).toBeUndefined();
  });
});
