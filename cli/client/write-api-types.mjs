// Writes cli/client/api-types.ts, or the file that is named, from docs/openapi.json. `npm run openapi` calls it.
import { readFile, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { createClient } from '@hey-api/openapi-ts';
import { format, resolveConfig } from 'prettier';

const DESCRIPTION = fileURLToPath(new URL('../../docs/openapi.json', import.meta.url));
const TYPES = fileURLToPath(new URL('./api-types.ts', import.meta.url));

/** The types of the API as a TypeScript module: what each schema is, and what each route takes and answers. */
async function apiTypes() {
  const description = JSON.parse(await readFile(DESCRIPTION, 'utf8'));
  const text = `${await schemaTypes(description)}\n${routeTypes(description)}`;
  return format(text, { ...(await resolveConfig(TYPES)), filepath: TYPES });
}

async function schemaTypes(description) {
  const directory = await mkdtemp(join(tmpdir(), 'agentflow-api-types-'));
  try {
    await createClient({ input: description, output: directory, plugins: ['@hey-api/typescript'], logs: 'silent' });
    return await readFile(join(directory, 'types.gen.ts'), 'utf8');
  } finally {
    await rm(directory, { recursive: true });
  }
}

/** Each route by its method and path, as in `'GET /health'`. The generator names its types after the operation. */
function routeTypes({ paths }) {
  const routes = Object.entries(paths).flatMap(([path, methods]) =>
    Object.entries(methods).map(([method, { operationId }]) => {
      const name = operationId.replace(/(^|_)(\w)/g, (_, _separator, letter) => letter.toUpperCase());
      return `'${method.toUpperCase()} ${path}': { takes: ${name}Data; answers: ${name}Responses };`;
    }),
  );
  return `export interface Routes {\n${routes.join('\n')}\n}\n`;
}

const [, , file = TYPES] = process.argv;
await writeFile(file, await apiTypes());
