import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { createServer, type AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { PROJECT_ROOT } from '../../infra/config/project-root.js';
import { until } from './supervised-stack.js';

/** The embedded policy server alone, in a directory of its own: an OpenAI-compatible server of the base models. */
export class PolicyServerProcess {
  private readonly data = mkdtempSync(join(tmpdir(), 'agentflow-policy-server-'));
  private child: ChildProcess | undefined;
  url = '';

  async start(): Promise<void> {
    const port = await freePort();
    this.url = `http://127.0.0.1:${port}`;
    this.child = spawn(join(PROJECT_ROOT, 'worker/gpu/.venv/bin/python'), ['-m', 'flow_grpo.policy_server'], {
      cwd: join(PROJECT_ROOT, 'worker/gpu'),
      env: {
        ...process.env,
        AGENTFLOW_ARTIFACTS: pathToFileURL(this.data).href,
        AGENTFLOW_MODELS_CACHE: join(PROJECT_ROOT, '.cache/models'),
        AGENTFLOW_OPERATOR_FILE: join(PROJECT_ROOT, 'test/support/operator.yaml'),
        AGENTFLOW_POLICY_SERVER_PORT: String(port),
        AGENTFLOW_REQUEST_LOG: join(this.data, 'requests.jsonl'),
      },
      stdio: 'ignore',
    });
    await until('the policy server answers', async () => {
      if (typeof this.child?.exitCode === 'number') throw new Error(`The policy server ended: ${this.child.exitCode}`);
      return fetch(`${this.url}/health`).then(
        ({ ok }) => ok,
        () => false,
      );
    });
  }

  /** Requests that it accepted. */
  requests(): number {
    const log = join(this.data, 'requests.jsonl');
    return existsSync(log) ? readFileSync(log, 'utf8').split('\n').filter(Boolean).length : 0;
  }

  async stop(): Promise<void> {
    if (this.child?.exitCode === null && this.child.signalCode === null) {
      const exit = once(this.child, 'exit');
      this.child.kill('SIGTERM');
      await exit;
    }
    rmSync(this.data, { recursive: true, force: true });
  }
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, 'close');
  return port;
}
