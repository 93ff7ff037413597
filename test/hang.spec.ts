import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { readLocalApi } from '../infra/database/api-keys.js';
import { describeChild } from '../infra/local/describe.js';
import { LocalStack } from '../infra/local/local-stack.js';
import { identify } from '../infra/local/process-identity.js';
import type { StackEvent } from '../infra/local/stack-events.js';
import { stackPaths, type ProcessName } from '../infra/local/stack-options.js';
import { readStackRecord } from '../infra/local/stack-record.js';
import { until } from './support/supervised-stack.js';

const PARTS = ['postgres', 'temporal', 'policy-server', 'trainer', 'agent-worker', 'api'] as const;
/** Longer than any part is silent while it works on a busy machine, shorter than the bounds of the product. */
const SILENCE_MS = 20_000;

describe('every part of the stack, stopped at once', () => {
  const dataDirectory = mkdtempSync(join(tmpdir(), 'agentflow-hang-'));
  const events: StackEvent[] = [];
  let stack: LocalStack;

  beforeAll(async () => {
    const ports = { postgres: 0, temporal: 0, temporalUi: 0, policyServer: 0, api: 0 };
    const options = { dataDirectory, ports, databaseUrl: undefined, existingTemporal: false, silenceMs: SILENCE_MS };
    stack = await LocalStack.start(options, { onEvent: (event) => events.push(event) });
  }, 600_000);

  afterAll(async () => {
    await stack?.stop();
    rmSync(dataDirectory, { recursive: true, force: true });
  });

  const names = (type: StackEvent['type'], since = 0) =>
    events.slice(since).flatMap((event) => (event.type === type && 'name' in event ? [event.name] : []));

  it('is noticed, started again and told, with what was lost', async () => {
    expect(names('hung')).toEqual([]);
    const since = events.length;
    const before: Partial<Record<ProcessName, number>> = { ...stack.pids };
    for (const name of PARTS) process.kill(before[name]!, 'SIGSTOP');
    await until('all are up again', () =>
      Promise.resolve(PARTS.every((name) => names('healthy', since).includes(name))),
    );

    expect(names('hung', since).sort()).toEqual(expect.arrayContaining([...PARTS].sort()));
    for (const event of events.slice(since)) if (event.type === 'hung') expect(event.lost).not.toBe('');
    expect(PARTS.filter((name) => identify(before[name]!))).toEqual([]);
    const { children } = readStackRecord(stackPaths(dataDirectory).record);
    // One that came up before the database did may have died since, and is told by its last death.
    const diedOnce = PARTS.filter((name) => names('exit', since).filter((died) => died === name).length === 1);
    expect(diedOnce).toEqual(expect.arrayContaining(['postgres', 'temporal', 'policy-server']));
    for (const name of diedOnce)
      expect(describeChild(children[name])).toMatch(/because it had not answered for \d+ s$/);

    const api = await readLocalApi(stackPaths(dataDirectory).api);
    await until('the API answers', async () => (await fetch(`${api!.url}/health`).catch(() => undefined))?.ok ?? false);
  }, 600_000);
});
