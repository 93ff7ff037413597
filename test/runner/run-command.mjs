import { spawn } from 'node:child_process';

/**
 * Runs a command without standard input.
 * @param {{ cwd: string, env: NodeJS.ProcessEnv, capture?: boolean }} options `capture` keeps the output instead of
 *   showing it
 * @returns {Promise<{ ok: boolean, output: string, seconds: number }>}
 */
export async function runCommand(command, args, { cwd, env, capture = false }) {
  const started = Date.now();
  const output = [];
  const child = spawn(command, args, { cwd, env, stdio: ['ignore', ...Array(2).fill(capture ? 'pipe' : 'inherit')] });
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
