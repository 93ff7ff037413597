import { spawn, spawnSync } from 'node:child_process';
import { ROOT } from './paths.mjs';

const REPORT_EVERY_MS = 15_000;
/** Of a failed command's output: its cause is at the beginning or at the end. */
const KEPT_LINES = { first: 20, last: 40 };

/** A step of the set-up cannot go on. The message says what is missing and the command that mends it. */
export class SetupError extends Error {}

/**
 * Runs a long command. On a terminal one line shows the seconds and the command's newest output; elsewhere a line
 * appears every 15 s. Its output is shown only when it fails.
 * @throws SetupError
 */
export async function run(what, command, args, { cwd = ROOT, env = {}, hint } = {}) {
  const progress = new Progress(what);
  const child = spawn(command, args, {
    cwd,
    env: { ...process.env, NO_COLOR: '1', ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  for (const stream of [child.stdout, child.stderr])
    stream.setEncoding('utf8').on('data', (text) => progress.add(text));
  const failure = await new Promise((resolve) => {
    child.on('error', (error) => resolve(error.message));
    child.on('close', (code, signal) =>
      resolve(code === 0 ? undefined : `ended with ${signal ?? `exit code ${code}`}`),
    );
  });
  progress.end();
  if (!failure) return;
  const shown = [command, ...args].join(' ');
  throw new SetupError(
    [...progress.kept(), `${what} failed: \`${shown}\` ${failure}.`, hint].filter(Boolean).join('\n'),
  );
}

/** Standard output of a short command, or undefined when it cannot be run or fails. */
export function tryCommand(command, args) {
  const { status, stdout } = spawnSync(command, args, { encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] });
  return status === 0 ? stdout.trim() : undefined;
}

class Progress {
  #first = [];
  #last = [];
  #started = Date.now();
  #timer;
  #what;

  constructor(what) {
    this.#what = what;
    console.log(`  ${what} ...`);
    this.#timer = process.stdout.isTTY
      ? setInterval(() => process.stdout.write(`\r\x1b[2K${this.#line().slice(0, process.stdout.columns - 1)}`), 200)
      : setInterval(() => console.log(this.#line()), REPORT_EVERY_MS);
  }

  add(text) {
    const lines = text.split(/[\r\n]+/).filter((line) => line.trim());
    const room = KEPT_LINES.first - this.#first.length;
    this.#first.push(...lines.slice(0, room));
    this.#last = [...this.#last, ...lines.slice(room)].slice(-KEPT_LINES.last);
  }

  /** What is worth showing of the output when the command fails. */
  kept() {
    return [...this.#first, ...this.#last];
  }

  end() {
    clearInterval(this.#timer);
    if (process.stdout.isTTY) process.stdout.write('\r\x1b[2K');
    console.log(`  ${this.#what}: ${this.#seconds()} s`);
  }

  #line() {
    return `    ${this.#seconds()} s  ${this.kept().at(-1)?.trim().slice(0, 120) ?? ''}`;
  }

  #seconds() {
    return Math.round((Date.now() - this.#started) / 1000);
  }
}
