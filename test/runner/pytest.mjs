import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { GPU_WORKER, PYTHON } from '../../infra/local/setup/paths.mjs';
import { runCommand } from './run-command.mjs';

/** A skip is allowed where its reason begins with one of these: what this machine cannot have. */
const ALLOWED_SKIPS = ['gpu'];

/** Two processes: many tests wait for a process or a server. A file's fixtures hold models, so its tests stay together. */
const PROCESSES = ['--numprocesses=2', '--dist=loadfile'];

/** @returns {Promise<{ passed: number, failed: number, skipped: number }>} */
export async function runPytest(env, resultsDirectory) {
  const results = join(resultsDirectory, 'pytest.xml');
  const args = ['-m', 'pytest', ...PROCESSES, `--junitxml=${results}`];
  // Kept until the end: other tests write to the terminal meanwhile.
  const { ok, output } = await runCommand(PYTHON, args, { cwd: GPU_WORKER, env, capture: true });
  console.log(output.trimEnd());
  const counts = readResults(results);
  return ok ? counts : { ...counts, failed: Math.max(counts.failed, 1) };
}

/** A skip that is not allowed counts as a failure. */
function readResults(path) {
  let xml;
  try {
    xml = readFileSync(path, 'utf8');
  } catch {
    return { passed: 0, failed: 1, skipped: 0 };
  }
  const suite = /<testsuite [^>]*>/.exec(xml)?.[0] ?? '';
  const [tests, failures, errors, skipped] = ['tests', 'failures', 'errors', 'skipped'].map((name) =>
    Number(new RegExp(` ${name}="(\\d+)"`).exec(suite)?.[1] ?? 0),
  );
  const reasons = [...xml.matchAll(/<skipped [^>]*message="([^"]*)"/g)].map((match) => match[1]);
  const allowed = reasons.filter((reason) => ALLOWED_SKIPS.some((prefix) => reason.startsWith(prefix))).length;
  for (const reason of reasons.slice(0, skipped - allowed)) console.log(`Skip that is not allowed: ${reason}`);
  return {
    passed: tests - failures - errors - skipped,
    failed: failures + errors + (skipped - allowed),
    skipped: allowed,
  };
}
