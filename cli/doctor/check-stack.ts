import { describeChild } from '../../infra/local/describe.js';
import { PortTaken, requireFreePort } from '../../infra/local/ports.js';
import { isRunning } from '../../infra/local/process-identity.js';
import { findRunningStack } from '../../infra/local/running-stack.js';
import { PORT_SETTINGS, stackPaths, type StackOptions, type StackPorts } from '../../infra/local/stack-options.js';
import { readStackRecord } from '../../infra/local/stack-record.js';
import { findSupervisor } from '../../infra/local/supervision.js';
import type { LocalApi } from '../../infra/database/api-keys.js';
import { checkSkew } from './check-machine.js';
import { ok, problem, warning, type Finding } from './finding.js';

const TIMEOUT_MS = 5_000;

/** The processes of the local stack, as its supervisor has recorded them. */
export function checkProcesses({ dataDirectory }: StackOptions): Finding[] {
  const { record, log } = stackPaths(dataDirectory);
  const supervisor = findSupervisor(dataDirectory);
  if (!supervisor) return [warning('stack', 'it does not run', 'npm run up')];
  const children = Object.entries(readStackRecord(record).children);
  const findings = children.map(([name, child]): Finding => {
    const works = isRunning(child) && child.silentSince === undefined;
    if (works) return ok(name, describeChild(child));
    return problem(name, describeChild(child), `tail ${log(name)}`);
  });
  return [ok('stack', `supervisor: process ${supervisor.pid}`), ...findings];
}

/** Whether the ports that a start would want are free. */
export async function checkPorts(options: StackOptions): Promise<Finding[]> {
  if (findRunningStack(options.dataDirectory)) return [];
  const wanted = (Object.keys(PORT_SETTINGS) as (keyof StackPorts)[]).filter((name) => isWanted(name, options));
  const taken = (await Promise.all(wanted.map((name) => portTaken(name, options.ports[name])))).flat();
  return taken.length > 0 ? taken : [ok('ports', 'those that a start wants are free')];
}

/** 0 picks a free port, and what exists already has its own. */
function isWanted(name: keyof StackPorts, options: StackOptions): boolean {
  if (options.ports[name] === 0) return false;
  if (name === 'postgres') return options.databaseUrl === undefined;
  if (name === 'policyServer') return options.policyServerUrl === undefined;
  return name === 'api' || !options.existingTemporal;
}

async function portTaken(name: keyof StackPorts, port: number): Promise<Finding[]> {
  const { purpose, variable } = PORT_SETTINGS[name];
  try {
    await requireFreePort(port, purpose, variable);
    return [];
  } catch (error) {
    if (error instanceof PortTaken) return [problem('ports', error.message, `${variable}=0 npm run up`)];
    throw error;
  }
}

/** The API, what it depends on, and whether the key is one of its keys. */
export async function checkApi(
  locate: () => Promise<LocalApi>,
  env: NodeJS.ProcessEnv = process.env,
): Promise<Finding[]> {
  const { url, key } = await locate();
  const health = await ask(new URL('/health', url));
  if (typeof health === 'string') return [problem('API', `${url} does not answer: ${health}`, 'npm run status')];
  const parts = await partsOf(health);
  if (parts === undefined) {
    return [problem('API', `${url} answers, but is another program`, 'export AGENTFLOW_API_URL=URL')];
  }
  return [ok('API', url), ...parts, ...checkSkew(health.headers.get('date')), ...(await checkKey(url, key, env))];
}

/** What /health says of each part; undefined if it is not ours. */
async function partsOf(health: Response): Promise<Finding[] | undefined> {
  const body = (await health.json().catch(() => undefined)) as
    { details?: Record<string, { status: string; message?: string }> } | undefined;
  if (typeof body?.details !== 'object') return undefined;
  return Object.entries(body.details).map(([name, { status, message }]) =>
    status === 'up' ? ok(name, 'the API reaches it') : problem(name, message ?? status, 'npm run status'),
  );
}

async function checkKey(url: string, key: string, env: NodeJS.ProcessEnv): Promise<Finding[]> {
  const answer = await ask(new URL('/v1/training_runs?limit=1', url), { Authorization: `Bearer ${key}` });
  if (typeof answer === 'string') return [problem('key', `the API does not answer: ${answer}`, 'npm run status')];
  if (answer.status === 401) return [problem('key', await refusalOf(answer), anotherKey(env))];
  if (!answer.ok) return [problem('key', `the API answers with HTTP ${answer.status}`, 'npm run status')];
  return [ok('key', 'the API knows it')];
}

async function refusalOf(answer: Response): Promise<string> {
  const { error } = (await answer.json().catch(() => ({}))) as { error?: { code?: string } };
  if (error?.code === 'api_key_revoked') return 'it was revoked';
  if (error?.code === 'api_key_expired') return 'it has expired';
  return 'the API does not know it: it is wrong, or of another stack';
}

/** The key is that of the variables, or the one in api.json, which a start makes anew. */
function anotherKey(env: NodeJS.ProcessEnv): string {
  const set = ['AGENTFLOW_API_KEY', 'AGENTFLOW_API_URL'].filter((name) => env[name]);
  return set.length > 0 ? `unset ${set.join(' ')}` : 'npm run up';
}

/** @returns what went wrong, if there is no answer */
async function ask(url: URL, headers: Record<string, string> = {}): Promise<Response | string> {
  try {
    return await fetch(url, { headers, redirect: 'manual', signal: AbortSignal.timeout(TIMEOUT_MS) });
  } catch (error) {
    const { cause, message } = error as Error & { cause?: Error };
    return (cause?.message || message).replace(/\.$/, '');
  }
}

/** The policy server of the local stack. */
export async function checkPolicyServer({ dataDirectory }: StackOptions): Promise<Finding[]> {
  const running = findRunningStack(dataDirectory);
  if (!running) return [];
  const { policyServer } = running.urls;
  const answer = await ask(new URL('/health', policyServer));
  if (typeof answer !== 'string' && answer.ok) return [ok('policy server', policyServer)];
  const why = typeof answer === 'string' ? answer : `HTTP ${answer.status}`;
  const { log } = stackPaths(dataDirectory);
  return [problem('policy server', `${policyServer} does not answer: ${why}`, `tail ${log('policy-server')}`)];
}
