import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { ROOT } from '../../infra/local/setup/paths.mjs';
import { runCommand } from './run-command.mjs';

/** Whole stacks with their torch processes: one after another, after everything else. */
const WHOLE_STACK = join(ROOT, 'test/');

// Workflow tests wait for their servers more than they compute: more workers than cores.
const PASSES = [
  { name: 'unit', args: ['--maxWorkers=3', '--testPathIgnorePatterns', '/node_modules/', WHOLE_STACK] },
  { name: 'whole-stack', args: ['--runInBand', '--testPathPatterns', WHOLE_STACK] },
];

/** @returns {Promise<{ passed: number, failed: number, skipped: number }>} */
export async function runJest(env, resultsDirectory) {
  const counts = { passed: 0, failed: 0, skipped: 0 };
  for (const { name, args } of PASSES) {
    const results = join(resultsDirectory, `jest-${name}.json`);
    const flags = ['--experimental-vm-modules', '--disable-warning=ExperimentalWarning'];
    const jest = [
      join(ROOT, 'node_modules/jest/bin/jest.js'),
      '--json',
      `--outputFile=${results}`,
      '--passWithNoTests',
    ];
    const run = await runCommand(process.execPath, [...flags, ...jest, ...args], { cwd: ROOT, env });
    const { passed, failed, skipped } = readResults(results);
    counts.passed += passed;
    counts.skipped += skipped;
    counts.failed += run.ok ? failed : Math.max(failed, 1);
  }
  return counts;
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
