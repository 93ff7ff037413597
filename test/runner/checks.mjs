import { join } from 'node:path';
import { CACHE, GPU_WORKER, PYTHON_CLIENT, ROOT } from '../../infra/local/setup/paths.mjs';
import { runCommand } from './run-command.mjs';

const node = (script, ...args) => [process.execPath, [join(ROOT, 'node_modules', script), ...args], ROOT];
const python = (project, tool, ...args) => [join(GPU_WORKER, '.venv/bin', tool), args, project];

/** Lint, format and types: each counts as one test. They run beside tests with time limits, and take what those leave. */
const CHECKS = {
  eslint: node('eslint/bin/eslint.js', '.', '--max-warnings', '0'),
  oxlint: node('oxlint/bin/oxlint'),
  knip: node('knip/bin/knip.js', '--no-progress'),
  prettier: node('prettier/bin/prettier.cjs', '--check', '.'),
  tsc: node('typescript/bin/tsc', '--noEmit'),
  'tsc of the dashboard': node('typescript/bin/tsc', '-p', 'dashboard'),
  'ruff check': python(GPU_WORKER, 'ruff', 'check', '.'),
  'ruff format': python(GPU_WORKER, 'ruff', 'format', '--check', '.'),
  pyright: python(GPU_WORKER, 'pyright'),
  'ruff check of the client': python(PYTHON_CLIENT, 'ruff', 'check', '.'),
  'ruff format of the client': python(PYTHON_CLIENT, 'ruff', 'format', '--check', '.'),
  'pyright of the client': python(PYTHON_CLIENT, 'pyright'),
};

/** @returns {Promise<{ passed: number, failed: number, skipped: number }>} */
export async function runChecks(env) {
  const counts = { passed: 0, failed: 0, skipped: 0 };
  const pyrightEnv = { PYRIGHT_PYTHON_CACHE_DIR: join(CACHE, 'pyright'), PYRIGHT_PYTHON_IGNORE_WARNINGS: '1' };
  for (const [name, [command, args, cwd]] of Object.entries(CHECKS)) {
    const { ok, output, seconds } = await runCommand(command, args, {
      cwd,
      env: { ...env, ...pyrightEnv },
      capture: true,
      yielding: true,
    });
    console.log(`${ok ? 'PASS' : 'FAIL'} ${name} (${seconds} s)`);
    if (!ok) console.log(output.trimEnd());
    counts[ok ? 'passed' : 'failed'] += 1;
  }
  return counts;
}
