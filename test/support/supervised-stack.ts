import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { chmodSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { parse, stringify } from 'yaml';
import { ApiClient } from '../../cli/client/api-client.js';
import { readLocalApi } from '../../infra/database/api-keys.js';
import { PROJECT_ROOT } from '../../infra/config/project-root.js';
import { signalGroup } from '../../infra/local/process-group.js';
import { readStackRecord, type StackUrls } from '../../infra/local/stack-record.js';
import { withDisk, type SmallDisk } from './small-disk.js';

const OPERATOR_FILE = fileURLToPath(new URL('./operator.yaml', import.meta.url));

/** The built product, as a user runs it: a supervisor process with everything under it, in a directory of its own. */
export class SupervisedStack {
  private readonly directory = mkdtempSync(join(tmpdir(), 'agentflow-stack-'));
  /** The data directory, as the stack's processes name it. */
  private readonly ownData = join(this.directory, 'data');
  private readonly operatorFile = join(this.directory, 'operator.yaml');
  private supervisor: ChildProcess | undefined;

  /**
   * @param sections of the operator's file, in the place of those of operator.yaml or besides them
   * @param disk the data directory lies on one of its own, which goes with the supervisor
   */
  constructor(
    sections: object = {},
    private readonly disk?: SmallDisk,
  ) {
    chmodSync(this.directory, 0o755); // PostgreSQL's user passes through
    mkdirSync(this.ownData);
    const common = parse(readFileSync(OPERATOR_FILE, 'utf8')) as object;
    writeFileSync(this.operatorFile, stringify({ ...common, ...sections }));
  }

  /** The data directory, as this process reaches it: a small disk is mounted for the stack alone. */
  get data(): string {
    return this.disk && this.supervisor ? join(`/proc/${this.supervisor.pid}/root`, this.ownData) : this.ownData;
  }

  /** Starts the supervisor and waits until the stack is healthy. */
  async start(): Promise<void> {
    const [command, ...args] = this.command();
    this.supervisor = spawn(command, args, {
      env: { ...process.env, ...this.environment() },
      stdio: ['ignore', 'ignore', 'inherit'],
    });
    let said = '';
    await until('the stack is up', () => {
      if (typeof this.supervisor?.exitCode === 'number') throw new Error(`The stack did not start:\n${said}`);
      said = this.log('supervisor') || said; // its disk goes with it
      return this.answers();
    });
  }

  async stop(): Promise<void> {
    if (this.supervisor?.exitCode === null && this.supervisor.signalCode === null) {
      const exit = once(this.supervisor, 'exit');
      this.supervisor.kill('SIGTERM');
      await exit;
    }
  }

  /** Stops everything and removes the directory. */
  async remove(): Promise<void> {
    await this.stop();
    rmSync(this.directory, { recursive: true, force: true });
  }

  /** What runs the supervisor, with its log in the data directory. */
  private command(): string[] {
    const supervise = [process.execPath, join(PROJECT_ROOT, 'dist/infra/local/main.js'), 'supervise'];
    const logged = ['sh', '-c', 'exec "$@" >>"$0/supervisor.log" 2>&1', this.ownData, ...supervise];
    return this.disk ? withDisk(this.disk, this.ownData, logged) : logged;
  }

  get urls(): StackUrls | undefined {
    return readStackRecord(join(this.data, 'stack.json')).urls;
  }

  /** Whether the API that the record names is there: after a kill the record still names the old one. */
  private async answers(): Promise<boolean> {
    const { urls } = this;
    if (!urls) return false;
    return fetch(`${urls.api}/health`).then(
      ({ ok }) => ok,
      () => false,
    );
  }

  /** pid of a part of the stack, as the supervisor recorded it. */
  pid(name: string): number {
    const child = readStackRecord(join(this.data, 'stack.json')).children[name];
    if (!child) throw new Error(`No process ${name} is recorded in ${this.data}/stack.json`);
    return child.pid;
  }

  /** SIGKILL to the supervisor and to all that it started, at once. */
  async killEverything(): Promise<void> {
    const { children } = readStackRecord(join(this.data, 'stack.json'));
    const exit = once(this.supervisor!, 'exit');
    this.supervisor!.kill('SIGKILL');
    for (const { pid } of Object.values(children)) signalGroup(pid, 'SIGKILL'); // some end with their supervisor
    await exit;
  }

  async client(): Promise<ApiClient> {
    const api = await readLocalApi(join(this.data, 'api.json'));
    if (!api) throw new Error(`There is no ${this.data}/api.json`);
    return new ApiClient(api);
  }

  /** The policy server's request log, one object a line. */
  requests(): { time: string; flow_id: string | null; turn: number | null }[] {
    const path = join(this.data, 'logs/requests.jsonl');
    if (!existsSync(path)) return [];
    const lines = readFileSync(path, 'utf8').split('\n').filter(Boolean);
    return lines.map((line) => JSON.parse(line) as { time: string; flow_id: string | null; turn: number | null });
  }

  log(name: string): string {
    const path = name === 'supervisor' ? join(this.data, 'supervisor.log') : join(this.data, `logs/${name}.log`);
    return existsSync(path) ? readFileSync(path, 'utf8') : '';
  }

  environment(): Record<string, string> {
    const anyPort = Object.fromEntries(
      ['POSTGRES', 'TEMPORAL', 'TEMPORAL_UI', 'POLICY_SERVER', 'API'].map((part) => [`AGENTFLOW_${part}_PORT`, '0']),
    );
    return { ...anyPort, AGENTFLOW_DATA: this.ownData, AGENTFLOW_OPERATOR_FILE: this.operatorFile };
  }
}

/** Waits until `condition` holds, as long as the test's own time limit lets it. */
export async function until(what: string, condition: () => Promise<boolean>, intervalMs = 50): Promise<void> {
  const started = Date.now();
  while (!(await condition())) {
    if (Date.now() - started > 540_000) throw new Error(`Waited nine minutes in vain until ${what}`);
    await sleep(intervalMs);
  }
}
