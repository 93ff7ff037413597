import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import autocannon, { type Request, type Result } from 'autocannon';
import { Command } from 'commander';
import { parse, stringify } from 'yaml';
import { formatTable } from '../../cli/output/format.js';
import { PROJECT_ROOT } from '../../infra/config/project-root.js';
import { createDataSource } from '../../infra/database/data-source.js';
import { addManyRuns, type Many } from '../../infra/database/testing/many-runs.js';
import { LocalStack } from '../../infra/local/local-stack.js';
import { processorSeconds } from '../processes.js';

/*
 * Reads and writes of the API over a database as it is after months: 1,000 runs with 100,000 rollouts. Requests are sent
 * at a fixed rate, whether earlier ones were answered or not, and each one's time counts from when it was due: an API
 * that cannot follow shows it. PostgreSQL, Temporal, the API and the sender share this machine.
 */
const SIZE: Many = { runs: 1_000, rolloutsPerRun: 100 };
const SMOKE_SIZE: Many = { runs: 5, rolloutsPerRun: 20 };
const CONNECTIONS = 50;
const GOAL_MS = 200;
/** So many reads for each write. */
const READS_PER_WRITE = 50;

const { smoke, rate, seconds } = new Command('bench:api')
  .description('How fast the API answers reads and writes over 1,000 runs and 100,000 rollouts.')
  .option('--rate <requests>', 'requests per second', Number, 500)
  .option('--seconds <seconds>', 'how long', Number, 60)
  .option('--smoke', 'few rows, two seconds: whether it runs, not how fast it is', false)
  .parse()
  .opts<{ smoke: boolean; rate: number; seconds: number }>();

const directory = await mkdtemp(join(tmpdir(), 'agentflow-bench-api-'));
try {
  await measure();
} finally {
  await rm(directory, { recursive: true });
}

async function measure(): Promise<void> {
  process.env['AGENTFLOW_OPERATOR_FILE'] = await writeOperatorFile();
  const data = join(directory, 'data');
  const stack = await LocalStack.start({
    dataDirectory: data,
    ports: { postgres: 0, temporal: 0, temporalUi: 0, policyServer: 0, api: 0 },
    services: ['api'],
    existingTemporal: false,
    databaseUrl: undefined,
  });
  try {
    const dataSource = await createDataSource(stack.urls.database, 'command').initialize();
    const run = await addManyRuns(dataSource, smoke ? SMOKE_SIZE : SIZE);
    await dataSource.destroy();
    const { key } = JSON.parse(await readFile(join(data, 'api.json'), 'utf8')) as { key: string };
    const processes = { ...stack.pids, sender: process.pid } as Record<string, number>;
    const before = Object.entries(processes).map(([part, pid]) => [part, processorSeconds(pid)] as const);
    const result = await send(stack.urls.api, key, requests(run));
    const profile = before.map(([part, then]) => `${part} ${(processorSeconds(processes[part]) - then).toFixed(0)}`);
    print(result, profile.join(', '));
  } finally {
    await stack.stop();
  }
}

function send(url: string, key: string, all: Request[]): Promise<Result> {
  return autocannon({
    url,
    connections: CONNECTIONS,
    overallRate: smoke ? 20 : rate,
    duration: smoke ? 2 : seconds,
    headers: { authorization: `Bearer ${key}` },
    requests: all,
  });
}

/** What people and dashboards ask for, and now and then somebody asks a question. */
function requests(run: string): Request[] {
  const last = `${run}-2`;
  const reads = [
    '/v1/training_runs',
    '/v1/training_runs?status=completed&limit=50',
    `/v1/training_runs/${last}`,
    `/v1/training_runs/${last}/steps`,
    `/v1/training_runs/${last}/events`,
    `/v1/rollouts?run_id=${last}`,
    `/v1/rollouts?run_id=${last}&sort=-advantage&limit=50`,
    `/v1/rollouts?run_id=${last}&reward_min=1`,
    `/v1/rollouts/${encodeURIComponent(`${last}/1/0/1`)}`,
    '/v1/agent_flows',
  ].map((path): Request => ({ method: 'GET', path }));
  const write: Request = {
    method: 'POST',
    path: '/v1/agent_flows',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ question: 'What is 7 times 8?' }),
  };
  return [...Array.from({ length: READS_PER_WRITE }, (_, i) => reads[i % reads.length]), write];
}

function print({ requests: sent, latency, duration, non2xx, errors, timeouts }: Result, profile: string): void {
  const header = ['seconds', 'requests/s', 'p50 ms', 'p90 ms', 'p99 ms', 'max ms', 'refused', 'failed'];
  const rate = (sent.total / duration).toFixed(0);
  const times = [latency.p50, latency.p90, latency.p99, latency.max].map(String);
  const row = [duration.toFixed(0), rate, ...times, String(non2xx), String(errors + timeouts)];
  for (const line of formatTable(header, [row])) console.log(line);
  console.log(`\nGoal: 500 requests/s with a p99 of ${GOAL_MS} ms. Processor seconds: ${profile}`);
}

/** The local stack's, without the limit of requests for each key: one key sends them all. */
async function writeOperatorFile(): Promise<string> {
  const operator = parse(await readFile(join(PROJECT_ROOT, 'infra/local/operator.yaml'), 'utf8')) as { api?: object };
  const path = join(directory, 'operator.yaml');
  await writeFile(path, stringify({ ...operator, api: { ...operator.api, requests_per_minute: 1_000_000 } }));
  return path;
}
