import { spawn } from 'node:child_process';
import { constants, setPriority } from 'node:os';

/**
 * Runs a command without standard input.
 * @param {{ cwd: string, env: NodeJS.ProcessEnv, capture?: boolean, yielding?: boolean }} options `capture` keeps the
 *   output instead of showing it; a `yielding` command gets the processor time that others leave
 * @returns {Promise<{ ok: boolean, output: string, seconds: number }>}
 */
export async function runCommand(command, args, { cwd, env, capture = false, yielding = false }) {
  const started = Date.now();
  const output = [];
  const child = spawn(command, args, { cwd, env, stdio: ['ignore', ...Array(2).fill(capture ? 'pipe' : 'inherit')] });
  if (yielding && child.pid) setPriority(child.pid, constants.priority.PRIORITY_BELOW_NORMAL);
  for (const stream of [child.stdout, child.stderr])
    stream?.setEncoding('utf8').on('data', (text) => output.push(text));
  const ok = await new Promise((resolve) => {
    child.on('error', (error) => {
      output.push(error.message);
      resolve(false);
    });
    child.on('close', (code) => resolve(code === 0));
  });
  return { ok, output: output.join(''), seconds: Math.round((Date.now() - started) / 1000) };
}
