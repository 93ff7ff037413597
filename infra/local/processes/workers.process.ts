import { join } from 'node:path';
import type { Client } from '@temporalio/client';
import proto from '@temporalio/proto';
import { PROJECT_ROOT } from '../../config/project-root.js';
import { AGENT_TASK_QUEUE, CONTROL_TASK_QUEUE, TRAINER_TASK_QUEUE } from '../../../contracts/task-queues.js';
import { PYTHON, PYTHON_ENVIRONMENT } from '../installed.js';
import type { ServiceName } from '../stack-options.js';
import type { Liveness, ProcessDefinition } from '../supervised-process.js';

const HTTP_TIMEOUT_MS = 5_000;

/**
 * A healthy process of ours beats every second, from its event loop. What may keep the loop from turning that long: in
 * TypeScript, statistics of a large evaluation; in Python, a library that holds the interpreter's lock while it reads or
 * writes a model. The gradient step itself is in another thread and silences nothing.
 */
const LIVENESS = {
  api: { silenceMs: 60_000, lost: 'requests in flight are cut off; what they had recorded is there' },
  'agent-worker': {
    silenceMs: 120_000,
    lost: 'calls in flight are made again as soon as their heartbeat is missed; workflows go on from their history',
  },
  'policy-server': {
    silenceMs: 120_000,
    lost: 'answers in flight are sampled again, with the same bytes; no recorded turn is',
  },
  'temporal-ui': { silenceMs: 60_000, lost: 'pages under way are cut off' },
  trainer: { silenceMs: 300_000, lost: 'the step under way is computed again from the last committed policy' },
} satisfies Record<ServiceName | 'temporal-ui', Liveness>;

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
    check: (pid) => checkPoller(client, [TRAINER_TASK_QUEUE], pid),
  };
}

export function agentWorkerProcess(client: Client, options: ServiceOptions): ProcessDefinition {
  return {
    ...node('agent-worker', 'dist/worker/agent/main.js', options),
    check: (pid) => checkPoller(client, [AGENT_TASK_QUEUE, CONTROL_TASK_QUEUE], pid),
  };
}

export function apiProcess(url: string, options: ServiceOptions): ProcessDefinition {
  return { ...node('api', 'dist/api/main.js', options), check: () => checkHttp(`${url}/health`) };
}

/** The proxy in front of the Temporal UI. It is up once the UI answers through it. */
export function temporalUiProcess(port: number, ui: string, options: ServiceOptions): ProcessDefinition {
  const definition = node('temporal-ui', 'dist/infra/temporal-ui/main.js', options);
  return {
    ...definition,
    args: [...definition.args, String(port), ui],
    check: () => checkHttp(`http://127.0.0.1:${port}/`),
  };
}

type WithoutCheck = Omit<ProcessDefinition, 'check'>;

function python(name: ServiceName, module: string, { env, logFile }: ServiceOptions): WithoutCheck {
  return {
    name,
    command: PYTHON,
    args: ['-m', module],
    env: { ...env, ...PYTHON_ENVIRONMENT },
    cwd: PROJECT_ROOT,
    stopSignal: 'SIGTERM',
    orphanSignal: 'SIGKILL',
    logFile,
    patienceMs: 300_000,
    liveness: LIVENESS[name],
  };
}

function node(name: ServiceName | 'temporal-ui', script: string, { env, logFile }: ServiceOptions): WithoutCheck {
  const args = ['--enable-source-maps', join(PROJECT_ROOT, script)];
  return {
    name,
    command: process.execPath,
    args,
    env,
    cwd: PROJECT_ROOT,
    stopSignal: 'SIGTERM',
    orphanSignal: 'SIGKILL',
    logFile,
    patienceMs: 120_000,
    liveness: LIVENESS[name],
  };
}

async function checkHttp(url: string): Promise<void> {
  const response = await fetch(url, { signal: AbortSignal.timeout(HTTP_TIMEOUT_MS) });
  await response.arrayBuffer();
  if (!response.ok) throw new Error(`${url} answered ${response.status}`);
}

/** A worker is up when it polls: the SDKs of both languages identify it as `<pid>@<host>` by default. */
async function checkPoller(client: Client, taskQueues: string[], pid: number): Promise<void> {
  for (const name of taskQueues) {
    const { pollers } = await client.workflowService.describeTaskQueue({
      namespace: client.options.namespace,
      taskQueue: { name },
      taskQueueType: proto.temporal.api.enums.v1.TaskQueueType.TASK_QUEUE_TYPE_ACTIVITY,
    });
    if (!pollers.some(({ identity }) => identity?.startsWith(`${pid}@`))) {
      throw new Error(`no worker with pid ${pid} polls the task queue ${name}`);
    }
  }
}
