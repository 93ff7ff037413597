import { execFile } from 'node:child_process';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it, jest } from '@jest/globals';
import { PROJECT_ROOT } from '../infra/config/project-root.js';
import { OPENAPI_FILE } from './docs/openapi.js';
import { AnsweringApi } from './openai/testing/answering-api.js';
import { fillLists, type Ids } from './testing/first-project.js';
import { collectionOf, description, OPERATIONS, type Schema } from './testing/described-routes.js';

jest.setTimeout(600_000);

const SCHEMATHESIS = join(PROJECT_ROOT, 'worker/gpu/.venv/bin/schemathesis');
const CONFIGURATION = join(PROJECT_ROOT, 'api/testing/schemathesis.toml');

/** Each found something when it was new. One that finds something again is added. */
const SEEDS = [1];

const WITH_BODY = OPERATIONS.filter(({ operation }) => operation.requestBody?.content['application/json']);

describe('what the API answers to requests that Schemathesis makes from its description', () => {
  let answering: AnsweringApi;
  let directory: string;
  let configuration: string;
  let ids: Ids;

  beforeAll(async () => {
    answering = await AnsweringApi.start();
    const asked = new Set<string>();
    answering.work = async (id) => {
      if (!id.startsWith('flow-') || asked.has(id)) return;
      asked.add(id);
      await answering.complete(id);
    };
    directory = await mkdtemp(join(tmpdir(), 'agentflow-schemathesis-'));
    configuration = join(directory, 'schemathesis.toml');
    ids = await fillLists(answering.api);
    await writeFile(configuration, (await readFile(CONFIGURATION, 'utf8')) + idsOfPaths(ids));
  });
  afterAll(async () => {
    await answering.api.stop();
    await rm(directory, { recursive: true });
  });

  it.each(WITH_BODY)('takes its own examples: $name', async ({ method, path, operation }) => {
    const examples = examplesOf(operation.requestBody!.content['application/json'].schema);
    expect(examples).not.toEqual([]);
    for (const example of examples) {
      const to = path.replace('{id}', encodeURIComponent(ids[collectionOf(path)] ?? ''));
      const { status, body } = await answering.api.request(method as 'post', to).send(example as object);
      expect(status < 300 ? {} : body).toEqual({});
    }
  });

  it.each(SEEDS)('is described, and no failure of the API: seed %i', async (seed) => {
    const { exitCode, printed } = await schemathesis('--seed', String(seed));
    expect(exitCode === 0 ? '' : printed).toBe('');
    expect(printed).toContain(`Tested: ${OPERATIONS.length}`);
  });

  function schemathesis(...options: string[]): Promise<{ exitCode: unknown; printed: string }> {
    const { api } = answering;
    const authorization = ['--header', `Authorization: Bearer ${api.key}`];
    const args = ['--config-file', configuration, 'run', OPENAPI_FILE, '--url', api.url, ...authorization, ...options];
    return new Promise((resolve) => {
      execFile(SCHEMATHESIS, args, { cwd: directory, maxBuffer: 2 ** 28 }, (error, stdout, stderr) =>
        resolve({ exitCode: error === null ? 0 : error.code, printed: `${stdout}\n${stderr}` }),
      );
    });
  }
});

function examplesOf(schema: Schema): unknown[] {
  const { example, examples } = schema.$ref ? description.components.schemas[schema.$ref.split('/').at(-1)!] : schema;
  return examples ?? [example].filter((one) => one !== undefined);
}

/** What is in each list, so that the routes below an id are not only asked for what does not exist. */
function idsOfPaths(ids: Ids): string {
  const below = Object.entries(ids).filter(([list]) => OPERATIONS.some(({ path }) => path.startsWith(`${list}/{id}`)));
  const operations = below.map(
    ([list, id]) => `
[[operations]]
include-path-regex = "^${list}/"
parameters = { "path.id" = ${JSON.stringify(encodeURIComponent(id))} }
`,
  );
  return operations.join('');
}
