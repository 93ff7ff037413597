import { mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { inspect } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { cancellationSignal } from '@temporalio/activity';
import { historyToJSON } from '@temporalio/common/lib/proto-utils.js';
import { TestWorkflowEnvironment } from '@temporalio/testing';
import { DefaultLogger, Runtime, Worker } from '@temporalio/worker';
import { redactingErrors } from '../activities/failures/redacting-errors.js';
import { runTool } from '../activities/tools/run-tool.js';
import { LocalServer } from '../activities/tools/testing/local-server.js';
import { toolContext } from '../activities/tools/testing/tool-context.js';
import { ToolRegistry } from '../activities/tools/tool-registry.js';
import { createWebTools } from '../activities/tools/web-tools.js';
import { TurnStore } from '../activities/trajectories/turn-store.js';
import { embeddingsSection } from '../infra/config/operator/embeddings.js';
import { webAccessSection } from '../infra/config/operator/web-access.js';
import { webSearchSection } from '../infra/config/operator/web-search.js';
import { readWebToolSettings } from '../infra/config/operator/web-tools.js';
import { wikipediaSection } from '../infra/config/operator/wikipedia.js';
import { createTestDatabase, type TestDatabase } from '../infra/database/testing/test-database.js';
import type { askTools, ToolCall } from './support/ask-tools.workflow.js';
import { temporalBinary } from './support/temporal-binary.js';

const SEARCH_KEY = 'marked+search/key"one';
const EMBEDDING_KEY = 'marked+embedding/key&two';
const PATIENCE = 120_000;

/** The keys in every writing in which a server could give them back. */
const WRITINGS = [SEARCH_KEY, EMBEDDING_KEY].flatMap((key) => [
  key,
  encodeURIComponent(key),
  JSON.stringify(key).slice(1, -1),
  Buffer.from(key).toString('base64'),
]);

/** Answers that hold the key of their request: an outage, hits, a refusal; vectors are refused with it. */
function echo(requests: LocalServer['requests']): { status: number; body: unknown } {
  const { url = '', headers } = requests[requests.length - 1];
  const key = String(headers.authorization).slice('Bearer '.length);
  const said = `the key ${key}, ${encodeURIComponent(key)}, ${Buffer.from(key).toString('base64')} of ${String(headers.authorization)}`;
  if (url.startsWith('/v1/embeddings')) return { status: 401, body: { error: { message: said } } };
  if (url.startsWith('/wiki')) {
    const page = { title: 'Elm', fullurl: 'https://wiki.test/Elm', extract: 'Elms are trees.' };
    return { status: 200, body: { query: { search: [{ pageid: 1 }], pages: [page] } } };
  }
  const searches = requests.filter((request) => request.url === '/search').length;
  if (searches === 1) return { status: 500, body: said };
  if (searches === 2)
    return { status: 200, body: { results: [{ title: said, url: `https://e.test/?${key}`, content: said }] } };
  return { status: 403, body: { error: said } };
}

describe('I6: no secret enters a history, a log or the database', () => {
  let server: LocalServer;
  let database: TestDatabase;
  let environment: TestWorkflowEnvironment;
  const logs: string[] = [];

  beforeAll(async () => {
    Runtime.install({
      // An error's message and stack are in its log line, as DefaultLogger prints it.
      logger: new DefaultLogger('DEBUG', (entry) => logs.push(inspect(entry, { depth: 8 }))),
    });
    database = await createTestDatabase();
    environment = await TestWorkflowEnvironment.createLocal({
      server: {
        executable: { type: 'existing-path', path: temporalBinary() },
        log: { format: 'json', level: 'error' },
      },
    });
    server = await LocalServer.start((_, response) => {
      const { status, body } = echo(server.requests);
      response.writeHead(status).end(JSON.stringify(body));
    });
  }, PATIENCE);
  afterAll(async () => {
    await environment?.teardown();
    await server?.stop();
    await database?.drop();
  });

  function openTools(): ToolRegistry {
    const file = join(mkdtempSync(join(tmpdir(), 'secret-')), 'key');
    writeFileSync(file, EMBEDDING_KEY);
    const sections = {
      web_search: webSearchSection.parse({ backend: 'tavily', url: server.url, key: { env: 'SEARCH_KEY' } }),
      web_access: webAccessSection.parse({ user_agent: 'test' }),
      wikipedia: wikipediaSection.parse({ url: `${server.url}/wiki/{language}` }),
      embeddings: embeddingsSection.parse({ url: `${server.url}/v1`, model: 'small', key: { file } }),
    };
    return new ToolRegistry(createWebTools(readWebToolSettings(sections, { SEARCH_KEY })));
  }

  async function workThrough(calls: ToolCall[]): Promise<{ results: string[]; history: string }> {
    const tools = openTools();
    const turns = new TurnStore(database.dataSource);
    const callTool = async ({ turn, tool, input }: ToolCall) => {
      const signal = cancellationSignal();
      const { output } = await turns.once({ flowId: 'secrets', turn, module: 'executor' }, async () => ({
        output: { output: await runTool(tools.named(tool), input, toolContext({ signal })) },
      }));
      return output.result ?? output.mistake;
    };
    const worker = await Worker.create({
      connection: environment.nativeConnection,
      taskQueue: 'secrets',
      workflowsPath: fileURLToPath(new URL('./support/ask-tools.workflow.ts', import.meta.url)),
      activities: redactingErrors({ callTool }),
    });
    return worker.runUntil(async () => {
      const options = { taskQueue: 'secrets', workflowId: 'secrets', args: [calls] as [ToolCall[]] };
      const handle = await environment.client.workflow.start<typeof askTools>('askTools', options);
      const results = await handle.result();
      return { results, history: withPayloads(historyToJSON(await handle.fetchHistory())) };
    });
  }

  async function allRows(): Promise<string> {
    const tables: { name: string }[] = await database.dataSource.query(
      `SELECT table_name AS name FROM information_schema.tables WHERE table_schema = 'public'`,
    );
    const rows = tables.map(({ name }) => database.dataSource.query(`SELECT t::text AS row FROM "${name}" t`));
    return JSON.stringify(await Promise.all(rows));
  }

  it(
    'although services give keys back in hits and in the texts of their errors',
    async () => {
      const { results, history } = await workThrough([
        { turn: 1, tool: 'web_search', input: { query: 'elms' } },
        { turn: 2, tool: 'web_search', input: { query: 'oaks' } },
        { turn: 3, tool: 'wikipedia', input: { query: 'elms' } },
      ]);
      expect(results).toEqual([
        expect.stringContaining('the key ***, ***, '),
        expect.stringContaining('status 403'),
        expect.stringContaining('status 401'),
      ]);
      expect(server.requests.map(({ headers }) => headers.authorization)).toEqual(
        expect.arrayContaining([`Bearer ${SEARCH_KEY}`, `Bearer ${EMBEDDING_KEY}`]),
      );
      const rows = await allRows();
      // What is searched does hold what the services said, the keys left out.
      for (const text of [rows, history]) expect(text).toContain('the key ***');
      expect(logs.join('\n')).toContain('status 403');
      for (const text of [rows, history, logs.join('\n'), JSON.stringify(results)]) {
        expect(WRITINGS.filter((writing) => text.includes(writing))).toEqual([]);
      }
    },
    PATIENCE,
  );
});

/** A history as JSON, its payloads decoded. */
function withPayloads(json: string): string {
  return json.replace(/"data":\s*"([^"]*)"/g, (_, data: string) => Buffer.from(data, 'base64').toString());
}
