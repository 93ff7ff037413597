import { fileURLToPath } from 'node:url';
import { TestWorkflowEnvironment } from '@temporalio/testing';
import {
  bundleWorkflowCode,
  DefaultLogger,
  Runtime,
  Worker,
  type WorkflowBundleWithSourceMap,
} from '@temporalio/worker';
import { DEV_SERVER_CONFIG } from '../../infra/temporal/dev-server-config.js';
import { searchAttributes } from '../../contracts/search-attributes.js';
import {
  AGENT_TASK_QUEUE,
  CONTROL_TASK_QUEUE,
  EXPORT_TASK_QUEUE,
  TRAINER_TASK_QUEUE,
  WEBHOOK_TASK_QUEUE,
} from '../../contracts/task-queues.js';
import type { RunSettings } from '../../contracts/run-settings.js';
import { temporalBinary } from './temporal-binary.js';
import type { ScriptedActivities } from './scripted-activities.js';

export const WORKFLOWS = fileURLToPath(new URL('../../workflows/index.ts', import.meta.url));

/** Short enough for a test, long enough for a busy machine. */
export const TEST_SETTINGS: RunSettings = {
  train_heartbeat_s: 60,
  call_heartbeat_s: 60,
  trainer_sticky_s: 60,
  patience_s: 600,
  group_deadline_s: 600,
};

/** The real workflows on a real Temporal dev server, with activities that a test scripts. */
export class WorkflowHarness {
  private workers: { worker: Worker; running: Promise<void> }[] = [];

  private constructor(
    readonly environment: TestWorkflowEnvironment,
    readonly bundle: WorkflowBundleWithSourceMap,
  ) {}

  /** @param config of the server, in the place of the stack's */
  static async start(config: readonly string[] = DEV_SERVER_CONFIG): Promise<WorkflowHarness> {
    Runtime.install({ logger: new DefaultLogger('ERROR') });
    const bundle = await bundleWorkflowCode({ workflowsPath: WORKFLOWS, logger: new DefaultLogger('ERROR') });
    return WorkflowHarness.on(bundle, config);
  }

  /** The same on another server, whose database is empty. */
  async elsewhere(): Promise<WorkflowHarness> {
    return WorkflowHarness.on(this.bundle, DEV_SERVER_CONFIG);
  }

  private static async on(bundle: WorkflowBundleWithSourceMap, config: readonly string[]): Promise<WorkflowHarness> {
    const environment = await TestWorkflowEnvironment.createLocal({
      server: {
        executable: { type: 'existing-path', path: temporalBinary() },
        searchAttributes: Object.values(searchAttributes),
        log: { format: 'json', level: 'error' },
        extraArgs: config.flatMap((value) => ['--dynamic-config-value', value]),
      },
    });
    return new WorkflowHarness(environment, bundle);
  }

  get client() {
    return this.environment.client;
  }

  /** Polls every task queue with the scripted activities until `stopWorkers`. */
  async work(activities: ScriptedActivities): Promise<void> {
    await this.poll(AGENT_TASK_QUEUE, activities.agent);
    await this.poll(CONTROL_TASK_QUEUE, activities.agent);
    await this.poll(WEBHOOK_TASK_QUEUE, activities.agent);
    await this.poll(TRAINER_TASK_QUEUE, activities.trainer);
    await this.poll(EXPORT_TASK_QUEUE, activities.exporter);
  }

  /** The same with one task queue. */
  async poll(taskQueue: string, activities: object): Promise<void> {
    const worker = await Worker.create({
      connection: this.environment.nativeConnection,
      taskQueue,
      workflowBundle: taskQueue === AGENT_TASK_QUEUE ? this.bundle : undefined,
      activities,
      maxCachedWorkflows: 200,
    });
    this.workers.push({ worker, running: worker.run() });
  }

  /** Ends what a test left open, so that the next test's workers do not take it up, and stops the workers. */
  async stopWorkers(): Promise<void> {
    const open = this.client.workflow.list({ query: `ExecutionStatus = 'Running'` });
    for await (const { workflowId } of open) {
      await this.client.workflow.getHandle(workflowId).terminate('end of test').catch(ignoreClosed);
    }
    const workers = this.workers.splice(0);
    for (const { worker } of workers) worker.shutdown();
    await Promise.all(workers.map(({ running }) => running));
  }

  async stop(): Promise<void> {
    await this.stopWorkers();
    await this.environment.teardown();
  }
}

function ignoreClosed(): void {
  // A workflow that closed by itself since it was listed.
}
