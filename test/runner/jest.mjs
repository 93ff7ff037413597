import { readFileSync } from 'node:fs';
import { join, relative } from 'node:path';
import { ROOT } from '../../infra/local/setup/paths.mjs';
import { runCommand } from './run-command.mjs';
import { fewEnough } from './again.mjs';

/** Whole stacks with their torch processes: never more than two, each takes some GB of memory. */
const WHOLE_STACK = join(ROOT, 'test/');

// More workers than cores: most of these tests wait for a server or a process.
const UNIT = { name: 'unit', args: ['--maxWorkers=3', '--testPathIgnorePatterns', '/node_modules/', WHOLE_STACK] };
const WHOLE_STACKS = { name: 'whole-stack', args: ['--maxWorkers=2', '--testPathPatterns', WHOLE_STACK] };

export const runUnitTests = (env, resultsDirectory) => runPart(UNIT, env, resultsDirectory);
export const runWholeStackTests = (env, resultsDirectory) => runPart(WHOLE_STACKS, env, resultsDirectory);

/**
 * @public tests run it in a process of its own
 * @param {{ name: string, args: string[], config?: string[] }} part `config` holds for a second run too
 * @returns {Promise<import('./again.mjs').Counts>}
 */
export async function runPart(part, env, resultsDirectory) {
  const { files, ok } = await runJest(part, env, resultsDirectory);
  const counts = sum(files, ok);
  const failed = files.filter((file) => file.failed.length > 0);
  if (!fewEnough(counts.failed)) return counts;
  return {
    ...counts,
    async again() {
      const args = ['--maxWorkers=1', '--runTestsByPath', ...failed.map(({ path }) => path)];
      const second = await runJest({ ...part, name: `${part.name}-again`, args }, env, resultsDirectory);
      const whole = files.filter((file) => !failed.includes(file));
      const unsteady = failed.flatMap((file) => onceMore(file, second.files));
      return { ...sum([...whole, ...second.files], second.ok), unsteady };
    },
  };
}

/** The tests of a file that failed, and did not when the file was run again. */
function onceMore({ path, failed }, files) {
  const stillFailed = files.find((file) => file.path === path)?.failed ?? failed;
  return failed.filter((name) => !stillFailed.includes(name)).map((name) => `${relative(ROOT, path)} ${name}`);
}

function sum(files, ok) {
  const passed = files.reduce((total, file) => total + file.passed, 0);
  const failed = files.reduce((total, file) => total + file.failed.length, 0);
  return { passed, failed: ok ? failed : Math.max(failed, 1), skipped: 0 };
}

async function runJest({ name, args, config = [] }, env, resultsDirectory) {
  const results = join(resultsDirectory, `jest-${name}.json`);
  const flags = ['--experimental-vm-modules', '--disable-warning=ExperimentalWarning'];
  const jest = [join(ROOT, 'node_modules/jest/bin/jest.js'), '--json', `--outputFile=${results}`, '--passWithNoTests'];
  const { ok } = await runCommand(process.execPath, [...flags, ...jest, ...config, ...args], { cwd: ROOT, env });
  return { files: readResults(results), ok };
}

/**
 * A test file that does not load has no tests to count: it is one failure. No skip is allowed: each is one too.
 * @returns {{ path: string, passed: number, failed: string[] }[]}
 */
function readResults(path) {
  let results;
  try {
    results = JSON.parse(readFileSync(path, 'utf8'));
  } catch {
    return [];
  }
  return results.testResults.map(({ name, status, assertionResults }) => {
    const failed = assertionResults.filter((test) => test.status !== 'passed').map((test) => test.fullName);
    const passed = assertionResults.length - failed.length;
    return { path: name, passed, failed: status === 'failed' && failed.length === 0 ? ['does not run'] : failed };
  });
}
