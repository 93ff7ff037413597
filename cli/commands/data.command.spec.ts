import {
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { ensureCluster } from '../../infra/local/postgres/cluster.js';
import { preparePostgresHome } from '../../infra/local/postgres/home.js';
import { identifySelf } from '../../infra/local/process-identity.js';
import { writeStackRecord } from '../../infra/local/stack-record.js';
import { claimSupervision } from '../../infra/local/supervision.js';
import { CliError } from '../cli-error.js';
import { runCli, runCliWithAnswer } from '../testing/test-cli.js';

const NO_API = { url: 'http://127.0.0.1:9', key: 'none' };

describe('agentflow data delete', () => {
  let root: string;
  let data: string;
  let before: string | undefined;

  beforeEach(() => {
    root = mkdtempSync(join(tmpdir(), 'agentflow-delete-'));
    chmodSync(root, 0o711);
    data = join(root, 'my-data');
    mkdirSync(join(data, 'artifacts/runs/run-a'), { recursive: true });
    writeFileSync(join(data, 'artifacts/runs/run-a/batch.arrow'), Buffer.alloc(3 * 1024));
    writeFileSync(join(data, 'temporal.db'), 'history');
    before = process.env['AGENTFLOW_DATA'];
    process.env['AGENTFLOW_DATA'] = data;
  });
  afterEach(() => {
    if (before === undefined) delete process.env['AGENTFLOW_DATA'];
    else process.env['AGENTFLOW_DATA'] = before;
    rmSync(root, { recursive: true });
  });

  const remaining = () => readdirSync(data).filter((name) => name !== 'supervisor.lock');

  it('names paths, sizes and numbers of runs, then removes them and the directory', async () => {
    await ensureCluster(
      preparePostgresHome(data, () => undefined),
      () => undefined,
    );
    const { lines } = await runCli(NO_API, 'data', 'delete', '--yes');
    const text = lines.join('\n');
    expect(text).toContain(`This deletes the data of ${data}`);
    expect(text).toMatch(new RegExp(`${join(data, 'artifacts')} +3 KiB`));
    expect(text).toMatch(new RegExp(`${join(data, 'postgres')} +\\d+.* MiB`));
    expect(text).toContain('Training runs with artifacts: 1.');
    expect(text).toMatch(/The database cannot be asked for its runs: .*agentflow/); // a cluster without its database yet
    expect(existsSync(data)).toBe(false);
  }, 60_000);

  it('keeps what is not of AgentFlow, and what a link leads to', async () => {
    writeFileSync(join(data, 'thesis.tex'), 'mine');
    rmSync(join(data, 'artifacts'), { recursive: true });
    mkdirSync(join(root, 'big-disk'));
    writeFileSync(join(root, 'big-disk/kept'), 'mine');
    symlinkSync(join(root, 'big-disk'), join(data, 'artifacts'));
    const { lines } = await runCli(NO_API, 'data', 'delete', '--yes');
    expect(lines.join('\n')).toContain(`a link: ${join(root, 'big-disk')} stays`);
    expect(readdirSync(data)).toEqual(['thesis.tex']);
    expect(readdirSync(join(root, 'big-disk'))).toEqual(['kept']);
  });

  it('asks for the name of the directory, and deletes nothing without it', async () => {
    for (const answer of [undefined, '', 'y', 'yes', 'MY-DATA']) {
      await expect(runCliWithAnswer(answer, NO_API, 'data', 'delete')).rejects.toThrow(/Nothing was deleted/);
      expect(remaining()).toEqual(['artifacts', 'temporal.db']);
    }
    await runCliWithAnswer(`${basename(data)}\n`, NO_API, 'data', 'delete');
    expect(existsSync(data)).toBe(false);
  });

  it('refuses while a stack runs on it, or while what a killed supervisor left does', async () => {
    const supervision = claimSupervision(data);
    await expect(runCli(NO_API, 'data', 'delete', '--yes')).rejects.toThrow(/Nothing was deleted.*npm run down/);
    supervision.release();
    writeStackRecord(join(data, 'stack.json'), { children: { trainer: { ...identifySelf(), stopSignal: 'SIGTERM' } } });
    await expect(runCli(NO_API, 'data', 'delete', '--yes')).rejects.toThrow(/trainer \(pid \d+\).*npm run down/);
    expect(remaining()).toEqual(['artifacts', 'stack.json', 'temporal.db']);
  });

  it('refuses a directory that holds nothing of AgentFlow, and makes none', async () => {
    process.env['AGENTFLOW_DATA'] = join(root, 'home');
    await expect(runCli(NO_API, 'data', 'delete', '--yes')).rejects.toThrow(CliError);
    expect(existsSync(join(root, 'home'))).toBe(false);
  });
});
