import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { ROOT } from '../../infra/local/setup/paths.mjs';
import { runCommand } from './run-command.mjs';

/** Whole stacks with their torch processes: never more than two, each takes some GB of memory. */
const WHOLE_STACK = join(ROOT, 'test/');

// More workers than cores: most of these tests wait for a server or a process.
const UNIT = { name: 'unit', args: ['--maxWorkers=3', '--testPathIgnorePatterns', '/node_modules/', WHOLE_STACK] };
const WHOLE_STACKS = { name: 'whole-stack', args: ['--maxWorkers=2', '--testPathPatterns', WHOLE_STACK] };

export const runUnitTests = (env, resultsDirectory) => runJest(UNIT, env, resultsDirectory);
export const runWholeStackTests = (env, resultsDirectory) => runJest(WHOLE_STACKS, env, resultsDirectory);

/** @returns {Promise<{ passed: number, failed: number, skipped: number }>} */
async function runJest({ name, args }, env, resultsDirectory) {
  const results = join(resultsDirectory, `jest-${name}.json`);
  const flags = ['--experimental-vm-modules', '--disable-warning=ExperimentalWarning'];
  const jest = [join(ROOT, 'node_modules/jest/bin/jest.js'), '--json', `--outputFile=${results}`, '--passWithNoTests'];
  const run = await runCommand(process.execPath, [...flags, ...jest, ...args], { cwd: ROOT, env });
  const counts = readResults(results);
  return { ...counts, failed: run.ok ? counts.failed : Math.max(counts.failed, 1) };
}

/** A test file that does not load has no tests to count: it is one failure. No skip is allowed: each is one too. */
function readResults(path) {
  let results;
  try {
    results = JSON.parse(readFileSync(path, 'utf8'));
  } catch {
    return { passed: 0, failed: 1, skipped: 0 };
  }
  return {
    passed: results.numPassedTests,
    failed: results.numFailedTests + results.numRuntimeErrorTestSuites + results.numPendingTests + results.numTodoTests,
    skipped: 0,
  };
}
