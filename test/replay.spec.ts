import { fileURLToPath } from 'node:url';
import { beforeAll, describe, expect, it, jest } from '@jest/globals';
import { bundleWorkflowCode, DefaultLogger, Runtime, Worker, type WorkflowBundle } from '@temporalio/worker';
import { DeterminismViolationError } from '@temporalio/workflow';
import * as workflows from '../workflows/index.js';
import { readHistories } from './support/histories.js';
import { WORKFLOWS } from './support/workflow-harness.js';

jest.setTimeout(120_000);

const CHANGED = fileURLToPath(new URL('./support/changed-workflows.ts', import.meta.url));
const histories = readHistories();

describe('I9: recorded histories', () => {
  let current: WorkflowBundle;
  let changed: WorkflowBundle;
  beforeAll(async () => {
    const logger = new DefaultLogger('ERROR');
    Runtime.install({ logger });
    current = await bundleWorkflowCode({ workflowsPath: WORKFLOWS, logger });
    changed = await bundleWorkflowCode({ workflowsPath: CHANGED, logger });
  });

  it('are there for every workflow, and across continue-as-new', () => {
    const names = histories.map(({ name }) => name.split('.')[0]);
    expect(new Set(names)).toEqual(new Set(Object.keys(workflows)));
    expect(names.filter((name) => name === 'trainingRun').length).toBeGreaterThan(1);
  });

  it.each(histories)('$name replays on the workflows as they are', async ({ name, history }) => {
    await Worker.runReplayHistory({ workflowBundle: current }, history, name);
  });

  it.each(histories)('$name does not replay on an incompatible change', async ({ name, history }) => {
    const replay = Worker.runReplayHistory({ workflowBundle: changed }, history, name);
    await expect(replay).rejects.toThrow(DeterminismViolationError);
  });
});
