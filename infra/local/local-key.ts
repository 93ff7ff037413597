import { ensureLocalApiKey, readLocalApi } from '../database/api-keys.js';
import { createDataSource } from '../database/data-source.js';
import { LocalStackError } from './local-stack-error.js';
import { stackPaths } from './stack-options.js';
import type { StackUrls } from './stack-record.js';

/**
 * Makes sure that `api.json` has the API's address and a key that is accepted: one that was revoked, has expired or is of
 * another database is replaced.
 * @returns the file, if it has another key than before
 * @throws LocalStackError if the database does not answer
 */
export async function renewLocalKey(
  dataDirectory: string,
  { database, api }: Pick<StackUrls, 'database' | 'api'>,
): Promise<string | undefined> {
  const file = stackPaths(dataDirectory).api;
  const before = await readLocalApi(file);
  const dataSource = await createDataSource(database, 'command', 1)
    .initialize()
    .catch((error: Error) => {
      const why = `the database does not answer (${error.message})`;
      throw new LocalStackError(`Whether the key in ${file} is accepted is not known: ${why}. See "npm run status".`);
    });
  try {
    const { key } = await ensureLocalApiKey(dataSource, file, api);
    return key === before?.key ? undefined : file;
  } finally {
    await dataSource.destroy();
  }
}
