import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { stringify } from 'yaml';
import { formatTable } from '../../api/cli/output/format.js';
import { loadOperatorFile } from '../../infra/config/operator-file.js';
import { LocalStack } from '../../infra/local/local-stack.js';
import { connectClient } from '../../infra/temporal/connection.js';
import type { RunSettings } from '../../workflows/contracts/training-run.js';
import { CALLS_PER_FLOW, runFlows } from './flows.js';
import { processorSeconds, residentMiB } from './processes.js';

/*
 * Agent flows with all five modules on a stub provider that answers at once, or after a second: what the engine adds to
 * the provider's latency, and what it holds at once. Temporal, PostgreSQL and one agent worker on this machine, no model.
 */
const CONCURRENCY = 256;
const FLOWS = 1000;
const FEW = 100;

interface Arm {
  name: string;
  latency: number;
  flows: number;
}

/** The first one warms everything up: connections, compiled code, caches. */
const ARMS: Arm[] = [
  { name: 'warm-up', latency: 0, flows: FEW },
  { name: 'few', latency: 0, flows: FEW },
  { name: 'no latency', latency: 0, flows: FLOWS },
  { name: 'a second', latency: 1, flows: FLOWS },
];

const directory = await mkdtemp(join(tmpdir(), 'agentflow-rollouts-'));
const providers = new Map<number, { process: ChildProcess; port: number }>();
try {
  for (const latency of new Set(ARMS.map((arm) => arm.latency))) providers.set(latency, await startProvider(latency));
  await measure();
} finally {
  for (const { process } of providers.values()) process.kill();
  await rm(directory, { recursive: true });
}

async function measure(): Promise<void> {
  const rows: string[][] = [];
  const throughput = new Map<string, number>();
  const mean = new Map<string, number>();
  for (const arm of ARMS) {
    const operatorFile = await writeOperatorFile(providers.get(arm.latency)!.port);
    const stack = await startStack(arm.name, operatorFile);
    try {
      const settings = loadOperatorFile(operatorFile).timeouts;
      const { seconds, times, profile, memory } = await runArm(stack, settings, arm);
      throughput.set(arm.name, (arm.flows * CALLS_PER_FLOW) / seconds);
      mean.set(arm.name, seconds / arm.flows);
      rows.push([
        arm.name,
        String(arm.flows),
        seconds.toFixed(1),
        (arm.flows / seconds).toFixed(1),
        throughput.get(arm.name)!.toFixed(0),
        median(times).toFixed(2),
        memory,
        profile,
      ]);
    } finally {
      await stack.stop();
    }
  }
  const header = ['arm', 'flows', 'seconds', 'flows/s', 'calls/s', 'median s', 'worker MiB', 'processor seconds'];
  for (const line of formatTable(header, rows)) console.log(line);
  const bound = Math.min(throughput.get('no latency')!, CONCURRENCY);
  console.log(
    `\nWith a second of latency ${percent(throughput.get('a second')! / bound)} of the lower of the throughput`,
  );
  console.log(`without (${throughput.get('no latency')!.toFixed(0)} calls/s) and ${CONCURRENCY} calls/s; goal: 80 %.`);
  const ratio = mean.get('no latency')! / mean.get('few')!;
  console.log(`Time per flow at ${FLOWS} against ${FEW}: ${ratio.toFixed(2)}x; goal: at most 1.1x.`);
}

async function runArm(stack: LocalStack, settings: RunSettings, { name, flows }: Arm) {
  const client = await connectClient({ env: { TEMPORAL_ADDRESS: stack.urls.temporal } });
  const processes = { ...stack.pids, benchmark: process.pid } as Record<string, number>;
  const before = Object.entries(processes).map(([part, pid]) => [part, processorSeconds(pid)] as const);
  const samples: number[] = [];
  const sampling = setInterval(() => samples.push(residentMiB(processes['agent-worker'])), 500);
  const started = performance.now();
  const times = await runFlows(client, settings, name.replaceAll(' ', '-'), flows, CONCURRENCY);
  const seconds = (performance.now() - started) / 1000;
  clearInterval(sampling);
  const profile = before.map(([part, then]) => `${part} ${(processorSeconds(processes[part]) - then).toFixed(0)}`);
  await client.connection.close();
  return { seconds, times, profile: profile.join(', '), memory: overTime(samples) };
}

/** Resident memory after a fifth, at the half and at the end of the run. */
function overTime(samples: number[]): string {
  const at = (share: number) => samples.at(Math.floor((samples.length - 1) * share))?.toFixed(0) ?? '-';
  return [0.2, 0.5, 1].map(at).join(' → ');
}

/** A stack of its own for each arm: no arm works on the rows and histories of another. */
async function startStack(name: string, operatorFile: string): Promise<LocalStack> {
  process.env['AGENTFLOW_OPERATOR_FILE'] = operatorFile;
  return LocalStack.start({
    dataDirectory: join(directory, name.replaceAll(' ', '-')),
    ports: { postgres: 0, temporal: 0, temporalUi: 0, policyServer: 0, api: 0 },
    services: ['agent-worker'],
    existingTemporal: false,
    databaseUrl: undefined,
  });
}

async function writeOperatorFile(port: number): Promise<string> {
  const path = join(directory, `operator-${port}.yaml`);
  const operator = {
    models: { 'tiny-random': { source: 'tiny-random', context: 2048 } },
    tools: ['calculator'],
    datasets: ['atlas'],
    timeouts: {
      train_heartbeat_s: 30,
      call_heartbeat_s: 60,
      trainer_sticky_s: 20,
      patience_s: 600,
      group_deadline_s: 600,
    },
    providers: {
      stub: { kind: 'openai-compatible', base_url: `http://127.0.0.1:${port}/v1`, concurrency: CONCURRENCY },
    },
    language_models: { stub: { provider: 'stub', model: 'stub', context: 8192, output: 'json-schema' } },
  };
  await writeFile(path, stringify(operator));
  return path;
}

async function startProvider(latency: number): Promise<{ process: ChildProcess; port: number }> {
  const script = fileURLToPath(new URL('./provider.js', import.meta.url));
  const child = spawn(process.execPath, [script, String(latency)], { stdio: ['ignore', 'pipe', 'inherit'] });
  const [line] = (await once(createInterface(child.stdout), 'line')) as [string];
  return { process: child, port: Number(line) };
}

function median(values: number[]): number {
  return values.toSorted((a, b) => a - b)[values.length >> 1];
}

function percent(share: number): string {
  return `${Math.round(100 * share)} %`;
}
