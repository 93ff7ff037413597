import { join } from 'node:path';
import type { Client } from '@temporalio/client';
import proto from '@temporalio/proto';
import { PROJECT_ROOT } from '../../config/project-root.js';
import { AGENT_TASK_QUEUE, TRAINER_TASK_QUEUE } from '../../../workflows/contracts/task-queues.js';
import { PYTHON, PYTHON_ENVIRONMENT } from '../installed.js';
import type { ProcessDefinition } from '../supervised-process.js';

const HTTP_TIMEOUT_MS = 5_000;

export interface ServiceOptions {
  env: NodeJS.ProcessEnv;
  logFile: string;
}

/** Loads the base model before it answers: minutes on a slow disk. */
export function policyServerProcess(url: string, options: ServiceOptions): ProcessDefinition {
  return { ...python('policy-server', 'flow_grpo.policy_server', options), check: () => checkHttp(`${url}/health`) };
}

export function trainerProcess(client: Client, options: ServiceOptions): ProcessDefinition {
  return {
    ...python('trainer', 'flow_grpo.trainer', options),
    check: (pid) => checkPoller(client, TRAINER_TASK_QUEUE, pid),
  };
}

export function agentWorkerProcess(client: Client, options: ServiceOptions): ProcessDefinition {
  return {
    ...node('agent-worker', 'dist/worker/agent/main.js', options),
    check: (pid) => checkPoller(client, AGENT_TASK_QUEUE, pid),
  };
}

export function apiProcess(url: string, options: ServiceOptions): ProcessDefinition {
  return { ...node('api', 'dist/api/main.js', options), check: () => checkHttp(`${url}/health`) };
}

type WithoutCheck = Omit<ProcessDefinition, 'check'>;

function python(name: string, module: string, { env, logFile }: ServiceOptions): WithoutCheck {
  return {
    name,
    command: PYTHON,
    args: ['-m', module],
    env: { ...env, ...PYTHON_ENVIRONMENT },
    cwd: PROJECT_ROOT,
    stopSignal: 'SIGTERM',
    logFile,
    patienceMs: 300_000,
  };
}

function node(name: string, script: string, { env, logFile }: ServiceOptions): WithoutCheck {
  const args = ['--enable-source-maps', join(PROJECT_ROOT, script)];
  return {
    name,
    command: process.execPath,
    args,
    env,
    cwd: PROJECT_ROOT,
    stopSignal: 'SIGTERM',
    logFile,
    patienceMs: 120_000,
  };
}

async function checkHttp(url: string): Promise<void> {
  const response = await fetch(url, { signal: AbortSignal.timeout(HTTP_TIMEOUT_MS) });
  await response.arrayBuffer();
  if (!response.ok) throw new Error(`${url} answered ${response.status}`);
}

/** A worker is up when it polls: the SDKs of both languages identify it as `<pid>@<host>` by default. */
async function checkPoller(client: Client, taskQueue: string, pid: number): Promise<void> {
  const { pollers } = await client.workflowService.describeTaskQueue({
    namespace: client.options.namespace,
    taskQueue: { name: taskQueue },
    taskQueueType: proto.temporal.api.enums.v1.TaskQueueType.TASK_QUEUE_TYPE_ACTIVITY,
  });
  if (!pollers.some(({ identity }) => identity?.startsWith(`${pid}@`))) {
    throw new Error(`no worker with pid ${pid} polls the task queue ${taskQueue}`);
  }
}
