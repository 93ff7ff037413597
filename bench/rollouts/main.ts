import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import type { Client } from '@temporalio/client';
import { Command, InvalidArgumentError } from 'commander';
import { parse, stringify } from 'yaml';
import { formatTable } from '../../cli/output/format.js';
import { loadOperatorFile } from '../../infra/config/operator-file.js';
import { PROJECT_ROOT } from '../../infra/config/project-root.js';
import { LocalStack } from '../../infra/local/local-stack.js';
import { boundToParent } from '../../infra/processes/bound-child.js';
import { connectClient } from '../../infra/temporal/connection.js';
import type { RunSettings } from '../../contracts/run-settings.js';
import { CALLS_PER_FLOW, runFlows, submit, type Flows } from './flows.js';
import { processorSeconds, residentMiB } from '../processes.js';

/*
 * Agent flows with all five modules on a stub provider that answers at once, or after a second: what the engine adds to
 * the provider's latency, and what it holds at once. Temporal, PostgreSQL and one agent worker on this machine, no model.
 */
const CONCURRENCY = 256;
const FLOWS = 1000;
const FEW = 100;
const SMOKE_FLOWS = 4;
/** Points at which the worker's memory is told. */
const MEMORY_POINTS = 10;

/** Language models by name, with their latency in seconds. */
const LATENCIES = { 'at-once': 0, 'a-second': 1 };

/** One after another on one stack. The first warms it up: connections, compiled code, caches. */
const ARMS: Flows[] = [
  { name: 'warm-up', model: 'at-once', flows: FLOWS / 2 },
  { name: 'few', model: 'at-once', flows: FEW },
  { name: 'no-latency', model: 'at-once', flows: FLOWS },
  { name: 'latency', model: 'a-second', flows: FLOWS },
];

const { smoke, long } = new Command('bench:rollouts')
  .description('What the engine adds to the latency of a provider of language models, and what it holds at once.')
  .option('--smoke', `${SMOKE_FLOWS} flows an arm: whether it runs, not how fast it is`, false)
  .option(
    '--long <flows>',
    "so many flows without latency, alone: whether the agent worker's memory stays flat",
    flowCount,
  )
  .parse()
  .opts<{ smoke: boolean; long?: number }>();

const directory = await mkdtemp(join(tmpdir(), 'agentflow-rollouts-'));
const providers: ChildProcess[] = [];
try {
  await measure(await writeOperatorFile());
} finally {
  for (const provider of providers) provider.kill();
  await rm(directory, { recursive: true });
}

async function measure(operatorFile: string): Promise<void> {
  process.env['AGENTFLOW_OPERATOR_FILE'] = operatorFile;
  const stack = await startStack();
  const client = await connectClient({ env: { TEMPORAL_ADDRESS: stack.urls.temporal } });
  try {
    const settings = loadOperatorFile(operatorFile).timeouts;
    const arms = new Map<string, Measured>();
    for (const arm of chosenArms()) {
      await submit(stack.urls.database, arm);
      arms.set(arm.name, await runArm(stack, client, settings, arm));
    }
    printArms(arms);
    if (long === undefined) printRatios(arms);
  } finally {
    await client.connection.close();
    await stack.stop();
  }
}

function chosenArms(): Flows[] {
  if (long !== undefined) return [{ name: 'long', model: 'at-once', flows: long }];
  return smoke ? ARMS.map((arm) => ({ ...arm, flows: SMOKE_FLOWS })) : ARMS;
}

function flowCount(value: string): number {
  const flows = Number(value);
  if (!Number.isInteger(flows) || flows < 1) throw new InvalidArgumentError('must be a whole number above 0.');
  return flows;
}

function printArms(arms: ReadonlyMap<string, Measured>): void {
  const header = ['arm', 'flows', 'seconds', 'flows/s', 'calls/s', 'median s', 'worker MiB', 'processor seconds'];
  const rows = [...arms].map(([name, { flows, seconds, median, memory, profile }]) => [
    name,
    String(flows),
    seconds.toFixed(1),
    (flows / seconds).toFixed(1),
    ((flows * CALLS_PER_FLOW) / seconds).toFixed(0),
    median.toFixed(2),
    memory,
    profile,
  ]);
  for (const line of formatTable(header, rows)) console.log(line);
}

function printRatios(arms: ReadonlyMap<string, Measured>): void {
  const callsPerSecond = (name: string) => (arms.get(name)!.flows * CALLS_PER_FLOW) / arms.get(name)!.seconds;
  const [fast, slow] = [callsPerSecond('no-latency'), callsPerSecond('latency')];
  const share = Math.round((100 * slow) / Math.min(fast, CONCURRENCY));
  console.log(`\nWith a second of latency ${slow.toFixed(0)} calls/s: ${share} % of the lower of the throughput`);
  console.log(`without (${fast.toFixed(0)}) and ${CONCURRENCY}; goal: 80 %.`);
  const perFlow = (name: string) => arms.get(name)!.seconds / arms.get(name)!.flows;
  const ratio = perFlow('no-latency') / perFlow('few');
  const [many, few] = ['no-latency', 'few'].map((name) => arms.get(name)!.flows);
  console.log(`Time per flow with ${many} flows against ${few}: ${ratio.toFixed(2)}x; goal: at most 1.1x.`);
}

interface Measured {
  flows: number;
  seconds: number;
  /** Of a flow's seconds. */
  median: number;
  memory: string;
  profile: string;
}

async function runArm(stack: LocalStack, client: Client, settings: RunSettings, arm: Flows): Promise<Measured> {
  const processes = { ...stack.pids, benchmark: process.pid } as Record<string, number>;
  const before = Object.entries(processes).map(([part, pid]) => [part, processorSeconds(pid)] as const);
  const samples: number[] = [];
  const sampling = setInterval(() => samples.push(residentMiB(processes['agent-worker'])), 500);
  const started = performance.now();
  const times = await runFlows(client, settings, arm, CONCURRENCY);
  const seconds = (performance.now() - started) / 1000;
  clearInterval(sampling);
  const profile = before.map(([part, then]) => `${part} ${(processorSeconds(processes[part]) - then).toFixed(0)}`);
  return { flows: arm.flows, seconds, median: median(times), profile: profile.join(', '), memory: overTime(samples) };
}

/** Median resident memory of each tenth of the run: single samples swing with the collection of garbage. */
function overTime(samples: number[]): string {
  const share = (index: number) => Math.floor((samples.length * index) / MEMORY_POINTS);
  const tenths = Array.from({ length: MEMORY_POINTS }, (_, index) => samples.slice(share(index), share(index + 1)));
  return tenths.flatMap((tenth) => (tenth.length > 0 ? [median(tenth).toFixed(0)] : [])).join(' → ');
}

function median(values: number[]): number {
  return values.toSorted((a, b) => a - b)[values.length >> 1];
}

/** Temporal, PostgreSQL and an agent worker: no model runs. */
function startStack(): Promise<LocalStack> {
  return LocalStack.start({
    dataDirectory: join(directory, 'data'),
    ports: { postgres: 0, temporal: 0, temporalUi: 0, policyServer: 0, api: 0 },
    services: ['agent-worker'],
    existingTemporal: false,
    databaseUrl: undefined,
  });
}

async function writeOperatorFile(): Promise<string> {
  const ports = await Promise.all(Object.values(LATENCIES).map(startProvider));
  const names = Object.keys(LATENCIES);
  const provider = (port: number) => ({
    kind: 'openai-compatible',
    base_url: `http://127.0.0.1:${port}/v1`,
  });
  const model = (name: string) => ({ provider: name, model: name, context: 8192, output: 'json-schema' });
  const operator = {
    ...(parse(await readFile(join(PROJECT_ROOT, 'infra/local/operator.yaml'), 'utf8')) as object),
    providers: Object.fromEntries(names.map((name, i) => [name, provider(ports[i])])),
    language_models: Object.fromEntries(names.map((name) => [name, model(name)])),
  };
  const path = join(directory, 'operator.yaml');
  await writeFile(path, stringify(operator));
  return path;
}

/** @returns its port */
async function startProvider(latency: number): Promise<number> {
  const script = fileURLToPath(new URL('./provider.js', import.meta.url));
  // A signal ends the benchmark before it can end its children.
  const { command, args } = boundToParent({ command: process.execPath, args: [script, String(latency)] });
  const child = spawn(command, args, { stdio: ['ignore', 'pipe', 'inherit'] });
  providers.push(child);
  const [line] = (await once(createInterface(child.stdout), 'line')) as [string];
  return Number(line);
}
