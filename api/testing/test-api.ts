import { join } from 'node:path';
import type { AddressInfo } from 'node:net';
import type { NestExpressApplication } from '@nestjs/platform-express';
import request from 'supertest';
import { loadOperatorFile } from '../../infra/config/operator-file.js';
import { PROJECT_ROOT } from '../../infra/config/project-root.js';
import { createApiKey } from '../../infra/database/api-keys.js';
import { createTestDatabase, type TestDatabase } from '../../infra/database/testing/test-database.js';
import { createApp } from '../app.js';
import type { RunWorkflows } from '../temporal/run-workflows.js';
import { FakeRunWorkflows } from './fake-run-workflows.js';

type Method = 'get' | 'post' | 'put' | 'delete';

/** The whole API on a real PostgreSQL of its own, listening on a free port. */
export class TestApi {
  private constructor(
    readonly app: NestExpressApplication,
    readonly database: TestDatabase,
    readonly workflows: FakeRunWorkflows,
    readonly url: string,
    readonly key: string,
  ) {}

  /** @param temporal speaks to a real Temporal server; without it the API speaks to `workflows`, which is a fake */
  static async start(temporal?: RunWorkflows): Promise<TestApi> {
    const database = await createTestDatabase();
    const key = await createApiKey(database.dataSource, 'default');
    const operator = loadOperatorFile(join(PROJECT_ROOT, 'infra/local/operator.yaml'));
    const workflows = new FakeRunWorkflows();
    const dependencies = {
      dataSource: database.dataSource,
      workflows: temporal ?? (workflows as unknown as RunWorkflows),
      operator,
    };
    const app = await createApp(dependencies, { logger: false });
    await app.listen(0, '127.0.0.1');
    const { port } = app.getHttpServer().address() as AddressInfo;
    return new TestApi(app, database, workflows, `http://127.0.0.1:${port}`, key);
  }

  /** A request with the key of the project `default`, or another one. */
  request(method: Method, path: string, key = this.key): request.Test {
    return request(this.url)[method](path).set('Authorization', `Bearer ${key}`);
  }

  async stop(): Promise<void> {
    await this.app.close();
    await this.database.drop();
  }
}
