import { delimiter, dirname } from 'node:path';
import { PYTHON_ENV, TEMPORAL } from '../../infra/local/setup/paths.mjs';

/** Settings of the developer's own stack, which would send tests to real servers. AGENTFLOW_CACHE stays. */
const FOREIGN = /^(TEMPORAL_|AGENTFLOW_(?!CACHE$)|DATABASE_URL$)/;

/** The environment of every test process: `temporal` is on PATH, nothing points at servers outside the tests. */
export function testEnvironment(env = process.env) {
  const kept = Object.entries(env).filter(([name]) => !FOREIGN.test(name));
  return {
    ...Object.fromEntries(kept),
    ...PYTHON_ENV,
    PATH: `${dirname(TEMPORAL)}${delimiter}${env.PATH}`,
    OMP_WAIT_POLICY: 'PASSIVE',
  };
}
