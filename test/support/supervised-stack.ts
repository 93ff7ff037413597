import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { chmodSync, existsSync, mkdtempSync, openSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { parse, stringify } from 'yaml';
import { ApiClient } from '../../api/cli/client/api-client.js';
import { readLocalApi } from '../../infra/database/api-keys.js';
import { PROJECT_ROOT } from '../../infra/config/project-root.js';
import { readStackRecord, type StackUrls } from '../../infra/local/stack-record.js';

const OPERATOR_FILE = fileURLToPath(new URL('./operator.yaml', import.meta.url));

/** The built product, as a user runs it: a supervisor process with everything under it, in a directory of its own. */
export class SupervisedStack {
  readonly data = mkdtempSync(join(tmpdir(), 'agentflow-stack-'));
  private supervisor: ChildProcess | undefined;

  /** @param sections of the operator's file, in the place of those of operator.yaml or besides them */
  constructor(sections: object = {}) {
    chmodSync(this.data, 0o755); // PostgreSQL's user passes through
    const common = parse(readFileSync(OPERATOR_FILE, 'utf8')) as object;
    writeFileSync(this.operatorFile, stringify({ ...common, ...sections }));
  }

  /** Starts the supervisor and waits until the stack is healthy. */
  async start(): Promise<void> {
    const log = openSync(join(this.data, 'supervisor.log'), 'a');
    this.supervisor = spawn(process.execPath, [join(PROJECT_ROOT, 'dist/infra/local/main.js'), 'supervise'], {
      env: { ...process.env, ...this.environment() },
      stdio: ['ignore', log, log],
    });
    await until('the stack is up', () => {
      if (typeof this.supervisor?.exitCode === 'number')
        throw new Error(`The stack did not start:\n${this.log('supervisor')}`);
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
    rmSync(this.data, { recursive: true, force: true });
  }

  private get operatorFile(): string {
    return join(this.data, 'operator.yaml');
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
    for (const { pid } of Object.values(children)) process.kill(-pid, 'SIGKILL');
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
    return { ...anyPort, AGENTFLOW_DATA: this.data, AGENTFLOW_OPERATOR_FILE: this.operatorFile };
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
