import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { GPU_WORKER, PYTHON, PYTHON_CLIENT } from '../../infra/local/setup/paths.mjs';
import { fewEnough } from './again.mjs';
import { runCommand } from './run-command.mjs';

/** A skip is allowed where its reason begins with one of these: what this machine cannot have. */
const ALLOWED_SKIPS = ['gpu'];

/**
 * Two processes: many tests wait for a process or a server. A file's fixtures hold models, so its tests stay together.
 */
const PROCESSES = ['--numprocesses=2', '--dist=loadfile'];

const LAST_FAILED = ['--last-failed', '--last-failed-no-failures=none'];

/** @returns {Promise<import('./again.mjs').Counts>} */
export const runPytest = (env, resultsDirectory) => runProject(GPU_WORKER, 'pytest', env, resultsDirectory);

/** @returns {Promise<import('./again.mjs').Counts>} */
export const runClientPytest = (env, resultsDirectory) =>
  runProject(PYTHON_CLIENT, 'pytest-client', env, resultsDirectory);

async function runProject(project, name, env, resultsDirectory) {
  const first = await runOnce(project, PROCESSES, env, join(resultsDirectory, `${name}.xml`));
  if (!fewEnough(first.failed)) return first;
  return {
    ...first,
    async again() {
      const second = await runOnce(project, LAST_FAILED, env, join(resultsDirectory, `${name}-again.xml`));
      const unsteady = first.names.filter((name) => !second.names.includes(name));
      return { ...first, passed: first.passed + second.passed, failed: second.failed, unsteady };
    },
  };
}

async function runOnce(project, options, env, results) {
  const args = ['-m', 'pytest', ...options, `--junitxml=${results}`];
  // Kept until the end: other tests write to the terminal meanwhile.
  const { ok, output } = await runCommand(PYTHON, args, { cwd: project, env, capture: true });
  console.log(output.trimEnd());
  const counts = readResults(results);
  return ok ? counts : { ...counts, failed: Math.max(counts.failed, 1) };
}

/** A skip that is not allowed counts as a failure. `names` are those of the tests that failed. */
function readResults(path) {
  let xml;
  try {
    xml = readFileSync(path, 'utf8');
  } catch {
    return { passed: 0, failed: 1, skipped: 0, names: [] };
  }
  const suite = /<testsuite [^>]*>/.exec(xml)?.[0] ?? '';
  const [tests, failures, errors, skipped] = ['tests', 'failures', 'errors', 'skipped'].map((name) =>
    Number(new RegExp(` ${name}="(\\d+)"`).exec(suite)?.[1] ?? 0),
  );
  const reasons = [...xml.matchAll(/<skipped [^>]*message="([^"]*)"/g)].map((match) => match[1]);
  const allowed = reasons.filter((reason) => ALLOWED_SKIPS.some((prefix) => reason.startsWith(prefix))).length;
  for (const reason of reasons.slice(0, skipped - allowed)) console.log(`Skip that is not allowed: ${reason}`);
  const failed = xml.matchAll(/<testcase classname="([^"]*)" name="([^"]*)"[^>]*><(?:failure|error)/g);
  return {
    passed: tests - failures - errors - skipped,
    failed: failures + errors + (skipped - allowed),
    skipped: allowed,
    names: [...failed].map(([, file, name]) => `${file} ${name}`),
  };
}
