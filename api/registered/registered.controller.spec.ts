import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { loadOperatorFile } from '../../infra/config/operator-file.js';
import { createApiKey } from '../../infra/database/api-keys.js';
import { ToolDescription } from '../../infra/database/entities/index.js';
import { TestApi } from '../testing/test-api.js';

/** Stands in whatever is the operator's alone. */
const MARK = 'marked';
const OPERATOR = `
models:
  small: { source: { directory: /${MARK}/weights }, context: 2048 }
  other: { source: tiny-random, context: 512 }
tools: [calculator, web_search, files.read]
datasets:
  atlas: {}
  aime24: { benchmark: aime24, path: /${MARK}/aime }
  mine: { columns: { question: Q, answer: A }, answers: number, path: /${MARK}/mine.csv, held_out: 10 }
  drawn: { training: verl, answers: text, path: /${MARK}/drawn.parquet }
  both: { mix: { mine: 2, drawn: 1 } }
timeouts: { train_heartbeat_s: 30, call_heartbeat_s: 10, trainer_sticky_s: 20, patience_s: 60, group_deadline_s: 60 }
policy_server: { kind: vllm, model: small, reference: /${MARK}/reference }
providers:
  here: { kind: openai-compatible, base_url: 'http://${MARK}.example/v1', key: { env: ${MARK.toUpperCase()}_KEY } }
language_models:
  large: { provider: here, model: ${MARK}-deployment, context: 32768, output: json, images: true, price: { input: 0, output: 2 } }
  unpriced: { provider: here, model: ${MARK}, context: 1024, output: text }
mcp_servers:
  files: { command: /${MARK}/server, args: [--${MARK}], env: { TOKEN: { file: /${MARK}/token } }, directory: /${MARK} }
user_tools: { directory: /${MARK}/tools, env: { KEY: { env: ${MARK.toUpperCase()} } } }
web_search: { backend: tavily, key: { env: ${MARK.toUpperCase()}_SEARCH }, url: 'http://${MARK}.example' }
`;

describe('what the operator registered', () => {
  let api: TestApi;
  let directory: string;
  let reader: string;

  beforeAll(async () => {
    directory = await mkdtemp(join(tmpdir(), 'operator-'));
    await writeFile(join(directory, 'operator.yaml'), OPERATOR);
    api = await TestApi.start({ operator: loadOperatorFile(join(directory, 'operator.yaml')) });
    reader = await createApiKey(api.database.dataSource, 'theirs', { scopes: ['read'] });
    const told = { title: 'Calculator', description: 'evaluates', inputSchema: { type: 'object' }, asksModel: false };
    const tools = ['calculator', 'not_registered'].map((name) => ({
      ...told,
      name,
      repeatable: true,
      changedAt: new Date(0),
    }));
    await api.database.dataSource.getRepository(ToolDescription).insert(tools);
  });
  afterAll(async () => {
    await api?.stop();
    await rm(directory, { recursive: true });
  });

  const get = async (path: string) => (await api.request('get', path, reader).expect(200)).body as { data: unknown[] };

  it('is told of models', async () => {
    const ofProvider = { object: 'registered_model', kind: 'language_model', provider: 'here' };
    expect((await get('/v1/models')).data).toEqual([
      { id: 'small', object: 'registered_model', kind: 'base', context: 2048, served: true },
      { id: 'other', object: 'registered_model', kind: 'base', context: 512, served: false },
      { ...ofProvider, id: 'large', context: 32768, output: 'json', images: true, price: { input: 0, output: 2 } },
      { ...ofProvider, id: 'unpriced', context: 1024, output: 'text', images: false, price: null },
    ]);
  });

  it('is told of tools, as far as agent workers have told of them', async () => {
    expect(await get('/v1/tools')).toEqual({
      object: 'list',
      data: [
        {
          id: 'calculator',
          object: 'tool',
          mcp_server: null,
          description: {
            title: 'Calculator',
            text: 'evaluates',
            input_schema: { type: 'object' },
            asks_model: false,
            repeatable: true,
            changed_at: '1970-01-01T00:00:00.000Z',
          },
        },
        { id: 'web_search', object: 'tool', mcp_server: null, description: null },
        { id: 'files.read', object: 'tool', mcp_server: 'files', description: null },
      ],
      has_more: false,
      first_id: 'calculator',
      last_id: 'files.read',
    });
  });

  it('is told of datasets', async () => {
    const none = { object: 'dataset', format: null, answers: null, mix: null, upload: null };
    expect((await get('/v1/datasets')).data).toEqual([
      { ...none, id: 'atlas', kind: 'computed', trainable: true, held_out: true },
      { ...none, id: 'aime24', kind: 'benchmark', format: 'aime24', trainable: false, held_out: true },
      { ...none, id: 'mine', kind: 'columns', answers: 'number', trainable: true, held_out: true },
      { ...none, id: 'drawn', kind: 'training', format: 'verl', answers: 'text', trainable: true, held_out: false },
      { ...none, id: 'both', kind: 'mix', mix: { mine: 2, drawn: 1 }, trainable: true, held_out: true },
    ]);
  });

  it.each(['/v1/models', '/v1/tools', '/v1/datasets'])(
    '%s tells no key, command, address, path or environment',
    async (path) => {
      expect(JSON.stringify(await get(path)).toLowerCase()).not.toContain(MARK);
      await api.request('get', path, reader).query({ unknown: 1 }).expect(400);
    },
  );
});
