import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, mkdtempSync, rmSync, unlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { endGroup } from './process-group.js';
import { identify, identifySelf, type ProcessIdentity } from './process-identity.js';
import { claimSupervision, findSupervisor, StackRunning } from './supervision.js';

const CLAIMERS = 8;

/** A process that claims data directories when it is told to. */
class Claimer {
  private readonly child: ChildProcess;
  private readonly answers: AsyncIterator<string>;

  constructor() {
    const script = fileURLToPath(new URL('./testing/claim-data-directory.mjs', import.meta.url));
    this.child = spawn(process.execPath, [script], { stdio: ['pipe', 'pipe', 'inherit'] });
    this.answers = createInterface({ input: this.child.stdout! })[Symbol.asyncIterator]();
  }

  get pid(): number {
    return this.child.pid!;
  }

  async answer(): Promise<string> {
    return (await this.answers.next()).value as string;
  }

  ask(request: string): Promise<string> {
    this.child.stdin!.write(`${request}\n`);
    return this.answer();
  }

  async kill(): Promise<void> {
    if (this.child.exitCode !== null || this.child.signalCode !== null) return;
    const dead = once(this.child, 'exit');
    this.child.kill('SIGKILL');
    await dead;
  }
}

async function startClaimer(): Promise<Claimer> {
  const claimer = new Claimer();
  expect(await claimer.answer()).toBe('ready');
  return claimer;
}

let directory: string;
const lock = () => join(directory, 'supervisor.lock');

beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'agentflow-lock-'));
});
afterEach(() => rmSync(directory, { recursive: true }));

/** A pid that was given out and is free now, with the start time of the process that had it. */
async function deadProcess(): Promise<ProcessIdentity> {
  const child = spawn('/bin/sh', ['-c', 'sleep 300'], { stdio: 'ignore' });
  const identity = identify(child.pid!)!;
  const dead = once(child, 'exit');
  child.kill('SIGKILL');
  await dead;
  return identity;
}

describe('many processes that claim a data directory at once', () => {
  let claimers: Claimer[];

  beforeAll(async () => {
    claimers = await Promise.all(Array.from({ length: CLAIMERS }, startClaimer));
  });
  afterAll(() => Promise.all(claimers.map((claimer) => claimer.kill())));

  /** What a lock file holds before: nothing of it decides. */
  const content = fc.oneof(
    { weight: 3, arbitrary: fc.constant('stale' as const) },
    fc.constant('absent' as const),
    fc.constant(Buffer.alloc(0)),
    fc.constant(Buffer.from('null')),
    fc.constant(Buffer.from('{"pid":1')),
    fc.json().map((text) => Buffer.from(text)),
    fc.uint8Array({ maxLength: 200 }).map((bytes) => Buffer.from(bytes)),
  );

  it('exactly one gets it, whatever the lock file holds: a stale owner, nothing, garbage', async () => {
    const stale = JSON.stringify(await deadProcess());
    let round = 0;
    const race = fc.asyncProperty(content, async (before) => {
      const contested = join(directory, String(round++));
      mkdirSync(contested);
      if (before !== 'absent') {
        writeFileSync(join(contested, 'supervisor.lock'), before === 'stale' ? stale : before);
      }
      const answers = await Promise.all(claimers.map((claimer) => claimer.ask(`claim ${contested}`)));
      const winner = claimers[answers.indexOf('held')];
      expect([...answers].sort()).toEqual(['held', ...Array<string>(CLAIMERS - 1).fill('refused')]);
      expect(findSupervisor(contested)?.pid).toBe(winner.pid);
      await Promise.all(claimers.map((claimer) => claimer.ask('release')));
      expect(findSupervisor(contested)).toBeUndefined();
    });
    await fc.assert(race, { numRuns: 60, endOnFailure: true });
  }, 120_000);

  it('holds while others look at it without pause', async () => {
    const [claimer, ...others] = claimers;
    for (let round = 0; round < 50; round += 1) {
      const looking = Promise.all(others.map((other) => other.ask(`claim ${directory}-elsewhere`)));
      const claimed = claimer.ask(`claim ${directory}`);
      for (let looks = 0; looks < 20; looks += 1) findSupervisor(directory);
      expect(await claimed).toBe('held');
      await looking;
      await Promise.all(claimers.map((one) => one.ask('release')));
    }
    rmSync(`${directory}-elsewhere`, { recursive: true });
  }, 60_000);
});

describe(claimSupervision, () => {
  it.each([
    ['is empty, as after a power cut', ''],
    ['is cut off', '{"pid":1,"sta'],
    ['names this very process by a reused pid', JSON.stringify({ pid: process.pid, startTime: '1' })],
  ])('takes a lock whose file %s', (_, content) => {
    writeFileSync(lock(), content);
    expect(findSupervisor(directory)).toBeUndefined();
    const supervision = claimSupervision(directory);
    expect(findSupervisor(directory)).toMatchObject(identifySelf());
    supervision.release();
    expect(findSupervisor(directory)).toBeUndefined();
  });

  it('refuses while another holds it, and names the process, the way to stop it and another way', () => {
    const supervision = claimSupervision(directory);
    expect(() => claimSupervision(directory)).toThrow(StackRunning);
    expect(() => claimSupervision(directory)).toThrow(
      new RegExp(`${directory}.*process ${process.pid}.*npm run down.*AGENTFLOW_DATA`),
    );
    supervision.release();
    claimSupervision(directory).release();
  });

  it('still refuses when somebody has emptied the file of a lock that is held', () => {
    const supervision = claimSupervision(directory);
    writeFileSync(lock(), '');
    expect(() => claimSupervision(directory)).toThrow(StackRunning);
    expect(() => findSupervisor(directory)).toThrow(/supervisor\.lock/);
    supervision.release();
  }, 30_000);

  it('holds what lies at the path, also when the file was removed before', () => {
    claimSupervision(directory).release();
    unlinkSync(lock());
    const supervision = claimSupervision(directory);
    expect(() => claimSupervision(directory)).toThrow(StackRunning);
    supervision.release();
  });

  it('is free as soon as its holder is killed, although a child of the holder lives on', async () => {
    const script = `
      import { spawn } from 'node:child_process';
      import { claimSupervision } from ${JSON.stringify(new URL('../../dist/infra/local/supervision.js', import.meta.url).href)};
      claimSupervision(${JSON.stringify(directory)});
      console.log(spawn('sleep', ['300'], { detached: true, stdio: 'ignore' }).pid);
      setInterval(() => undefined, 1_000);`;
    const holder = spawn(process.execPath, ['--input-type=module', '-e', script], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    const [line] = (await once(createInterface({ input: holder.stdout }), 'line')) as [string];
    expect(findSupervisor(directory)?.pid).toBe(holder.pid);
    const dead = once(holder, 'exit');
    holder.kill('SIGKILL');
    await dead;
    expect(identify(Number(line))).toBeDefined();
    expect(findSupervisor(directory)).toBeUndefined();
    claimSupervision(directory).release();
    await endGroup(Number(line), 'SIGKILL', 5_000);
  });

  it('respects a supervisor of an earlier version, which is known by the content of the file alone', () => {
    writeFileSync(lock(), JSON.stringify(identifySelf()));
    expect(findSupervisor(directory)).toMatchObject({ pid: process.pid });
    expect(() => claimSupervision(directory)).toThrow(StackRunning);
  });
});
