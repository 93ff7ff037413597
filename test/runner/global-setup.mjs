import { startTestPostgres } from '../../infra/database/testing/test-postgres.mjs';
import { useTemporaryDirectory } from './temporary-directory.mjs';

/** jest: what all test files share. */
export default async function setup() {
  useTemporaryDirectory();
  const postgres = await startTestPostgres();
  process.env.AGENTFLOW_TEST_POSTGRES = postgres.url;
  globalThis.stopTestPostgres = postgres.stop;
}
