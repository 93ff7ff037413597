import { join } from 'node:path';
import { readEnvironment } from '../../infra/config/environment.js';
import { readLocalApi, type LocalApi } from '../../infra/database/api-keys.js';
import { readStateFile } from '../../infra/local/state-file.js';
import { CliError } from '../cli-error.js';

/**
 * Where the API is and the key for it: AGENTFLOW_API_URL and AGENTFLOW_API_KEY, each where it is set, else what the
 * local stack wrote into its data directory.
 * @throws CliError that says how to get a key; DataUnusable if something else has the name of the file
 */
export async function locateApi(env: NodeJS.ProcessEnv = process.env): Promise<LocalApi> {
  const { AGENTFLOW_DATA } = readEnvironment(['AGENTFLOW_DATA'], env);
  const file = join(AGENTFLOW_DATA, 'api.json');
  const given = {
    ...(env['AGENTFLOW_API_URL'] && { url: readEnvironment(['AGENTFLOW_API_URL'], env).AGENTFLOW_API_URL }),
    ...(env['AGENTFLOW_API_KEY'] && { key: env['AGENTFLOW_API_KEY'] }),
  };
  if (given.url && given.key) return { url: given.url, key: given.key };
  const isThere = readStateFile(file) !== undefined;
  const found = { ...(await readLocalApi(file)), ...given };
  if (found.url && found.key) return { url: found.url, key: found.key };
  throw new CliError(
    `There is no API key: ${file} ${isThere ? 'is damaged' : 'is not there'}. Start the local stack with "npm run up", ` +
      'which writes the file, or set AGENTFLOW_API_URL and AGENTFLOW_API_KEY.',
  );
}
