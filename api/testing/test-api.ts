import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import type { NestExpressApplication } from '@nestjs/platform-express';
import request from 'supertest';
import { FileArtifactStore } from '../../infra/artifacts/file-artifact-store.js';
import { loadOperatorFile } from '../../infra/config/operator-file.js';
import { PROJECT_ROOT } from '../../infra/config/project-root.js';
import { createApiKey } from '../../infra/database/api-keys.js';
import { Policy } from '../../infra/database/entities/index.js';
import { createTestDatabase, type TestDatabase } from '../../infra/database/testing/test-database.js';
import { createApp } from '../app.js';
import type { Dependencies } from '../dependencies.module.js';
import { FakeWorkflows } from './fake-workflows.js';

type Method = 'get' | 'post' | 'put' | 'patch' | 'delete';

/** The whole API on a real PostgreSQL of its own, listening on a free port. */
export class TestApi {
  private constructor(
    readonly app: NestExpressApplication,
    readonly database: TestDatabase,
    readonly workflows: FakeWorkflows,
    readonly artifacts: string,
    readonly url: string,
    readonly key: string,
  ) {}

  /** @param real dependencies in the place of the usual ones, for example workflows on a real Temporal server */
  static async start(real: Partial<Dependencies> = {}): Promise<TestApi> {
    const database = await createTestDatabase('api');
    const key = await createApiKey(database.dataSource, 'default');
    const artifacts = await mkdtemp(join(tmpdir(), 'agentflow-artifacts-'));
    const workflows = new FakeWorkflows();
    const dependencies: Dependencies = {
      dataSource: database.dataSource,
      workflows: workflows as unknown as Dependencies['workflows'],
      artifacts: new FileArtifactStore(artifacts),
      operator: loadOperatorFile(join(PROJECT_ROOT, 'infra/local/operator.yaml')),
      policyServer: 'http://127.0.0.1:1',
      ...real,
    };
    const app = await createApp(dependencies, { logger: false });
    await app.listen(0, '127.0.0.1');
    const { port } = app.getHttpServer().address() as AddressInfo;
    return new TestApi(app, database, workflows, artifacts, `http://127.0.0.1:${port}`, key);
  }

  /** A request with the key of the project `default`, or another one. */
  request(method: Method, path: string, key = this.key): request.Test {
    return request(this.url)[method](path).set('Authorization', `Bearer ${key}`);
  }

  /**
   * A policy of a run as its trainer worker commits it, except its tensors.
   * @returns its name
   */
  async commitPolicy(runId: string, step: number, sha256: string): Promise<string> {
    const directory = join(this.artifacts, 'runs', runId, 'policies', String(step).padStart(6, '0'));
    await mkdir(directory, { recursive: true });
    await writeFile(join(directory, 'manifest.json'), '{}');
    const uri = pathToFileURL(directory).href;
    await this.database.dataSource.getRepository(Policy).insert({ runId, step, uri, sha256, metrics: {} });
    return `${runId}@${step}`;
  }

  async stop(): Promise<void> {
    await this.app.close();
    await this.database.drop();
    await rm(this.artifacts, { recursive: true });
  }
}
