import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';
import { pathToFileURL } from 'node:url';
import { PROJECT_ROOT } from '../../infra/config/project-root.js';
import { findFreePort } from '../../infra/local/ports.js';

interface Options {
  database: string;
  /** Directory of the artifact store. */
  artifacts: string;
  temporal: string;
  /** Of Node, before the program. */
  flags?: string[];
  env?: Record<string, string>;
}

/** One API process of the built product, on a port that it keeps over its restarts. */
export class ApiProcess {
  private process: ChildProcess | undefined;

  private constructor(
    readonly port: number,
    private readonly options: Options,
  ) {}

  /** @param taken ports of others that do not listen yet */
  static async at(options: Options, taken?: Set<number>): Promise<ApiProcess> {
    return new ApiProcess(await findFreePort(taken), options);
  }

  get url(): string {
    return `http://127.0.0.1:${this.port}`;
  }

  async start(): Promise<void> {
    const { database, artifacts, temporal, flags = [], env = {} } = this.options;
    this.process = spawn(process.execPath, [...flags, 'dist/api/main.js'], {
      cwd: PROJECT_ROOT,
      env: {
        PATH: process.env['PATH'],
        DATABASE_URL: database,
        AGENTFLOW_ARTIFACTS: pathToFileURL(artifacts).href,
        AGENTFLOW_API_PORT: String(this.port),
        TEMPORAL_ADDRESS: temporal,
        ...env,
      },
      stdio: 'ignore',
    });
    while (!(await this.answers())) {
      if (this.process.exitCode !== null) throw new Error(`The API ended with ${this.process.exitCode}.`);
      await sleep(50);
    }
  }

  async stop(signal: 'SIGTERM' | 'SIGKILL'): Promise<void> {
    if (!this.process || this.hasEnded) return;
    const exit = once(this.process, 'exit');
    this.process.kill(signal);
    await exit;
  }

  /** Waits until it has ended by itself. */
  async ended(): Promise<void> {
    if (this.process && !this.hasEnded) await once(this.process, 'exit');
  }

  private get hasEnded(): boolean {
    return this.process?.exitCode !== null || this.process.signalCode !== null;
  }

  /** Whether it answers at all: 401 without a key. */
  private async answers(): Promise<boolean> {
    return fetch(`${this.url}/v1/training_runs`).then(
      ({ status }) => status === 401,
      () => false,
    );
  }
}
