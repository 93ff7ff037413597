import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { TestWorkflowEnvironment } from '@temporalio/testing';
import { stringify } from 'yaml';
import { PROJECT_ROOT } from '../infra/config/project-root.js';
import { createTestDatabase, type TestDatabase } from '../infra/database/testing/test-database.js';
import { temporalBinary } from './support/temporal-binary.js';

const PATIENCE = 120_000;
const MAIN = join(PROJECT_ROOT, 'dist/worker/agent/main.js');
const KEYS = {
  PROVIDER_KEY: 'marked-key-of-a-provider',
  SEARCH_KEY: 'marked-key-of-a-search',
  TEMPORAL_API_KEY: 'marked-key-of-temporal',
};

/** Says and throws when it is loaded, as a tool may that prints its settings. */
const TOOL = (keyFile: string) => `
  import { readFileSync } from 'node:fs';
  const keys = readFileSync(${JSON.stringify(keyFile)}, 'utf8');
  console.log('a user tool says', keys, JSON.stringify(process.env));
  throw new Error('a user tool throws ' + keys);
`;

describe('I6: the log of an agent worker', () => {
  let database: TestDatabase;
  let environment: TestWorkflowEnvironment;

  beforeAll(async () => {
    database = await createTestDatabase();
    environment = await TestWorkflowEnvironment.createLocal({
      server: { executable: { type: 'existing-path', path: temporalBinary() } },
    });
  }, PATIENCE);
  afterAll(async () => {
    await environment?.teardown();
    await database?.drop();
  });

  it(
    'holds none of its keys, although its tools repeat them while they are loaded',
    async () => {
      const directory = mkdtempSync(join(tmpdir(), 'worker-log-'));
      const keyFile = join(directory, 'keys');
      writeFileSync(keyFile, Object.values(KEYS).join(' '));
      writeFileSync(join(directory, 'tool.mjs'), TOOL(keyFile));
      const registered = readFileSync(join(PROJECT_ROOT, 'infra/local/operator.yaml'), 'utf8');
      const operatorFile = join(directory, 'operator.yaml');
      const sections = {
        user_tools: { directory },
        providers: { elsewhere: { kind: 'openai', key: { env: 'PROVIDER_KEY' } } },
        web_search: { backend: 'tavily', key: { env: 'SEARCH_KEY' } },
      };
      writeFileSync(operatorFile, `${registered}\n${stringify(sections)}`);
      const worker = spawn(process.execPath, [MAIN], {
        env: {
          ...process.env,
          ...KEYS,
          DATABASE_URL: database.url,
          TEMPORAL_ADDRESS: environment.address,
          TEMPORAL_TLS: 'false',
          AGENTFLOW_ARTIFACTS: `file://${directory}`,
          AGENTFLOW_OPERATOR_FILE: operatorFile,
          AGENTFLOW_POLICY_SERVER_URL: 'http://127.0.0.1:9',
        },
        stdio: ['ignore', 'pipe', 'pipe'],
      });
      let log = '';
      for (const stream of [worker.stdout, worker.stderr]) {
        stream.setEncoding('utf8').on('data', (text: string) => (log += text));
      }
      const [code] = (await once(worker, 'close')) as [number];
      expect([code, log]).toEqual([1, expect.stringContaining('a user tool says *** *** ***')]);
      expect(log).toContain('a user tool throws *** *** ***');
      expect(Object.values(KEYS).filter((key) => log.includes(key))).toEqual([]);
      // Nor does a tool see them in its environment.
      expect(Object.keys(KEYS).filter((name) => log.includes(`"${name}"`))).toEqual([]);
    },
    PATIENCE,
  );
});
