import { spawn, spawnSync } from 'node:child_process';
import { ROOT } from './paths.mjs';

const REPORT_EVERY_MS = 15_000;
const REDRAW_EVERY_MS = 200;
/** Of a failed command's output: its cause is at the beginning or at the end. */
const KEPT_LINES = { first: 20, last: 40 };

/** Codes of a machine without a free process, file or page. */
const EXHAUSTED = new Set(['EAGAIN', 'ENOMEM', 'EMFILE', 'ENFILE']);

/** A step of the set-up cannot go on. The message says what is missing and the command that mends it. */
export class SetupError extends Error {}

/** Open files that the commands get too, beside the standard ones. */
const keptOpen = new Set();

/** Leaves a file open in every command that `run` starts. @returns what ends that */
export function keepOpenInCommands(file) {
  keptOpen.add(file);
  return () => keptOpen.delete(file);
}

/** What runs, with a promise of its end. */
const running = new Map();
let stopped = false;

/**
 * Runs a long command; others may run beside it. On a terminal one line shows what runs, with the newest output of each;
 * elsewhere a line appears every 15 s. Its output is shown only when it fails.
 * @throws SetupError
 */
export async function run(what, command, args, { cwd = ROOT, env = {}, hint } = {}) {
  if (stopped) throw new SetupError(`${what} was not begun.`);
  const progress = new Progress(what);
  const child = spawn(command, args, {
    cwd,
    env: { ...process.env, NO_COLOR: '1', ...env },
    stdio: ['ignore', 'pipe', 'pipe', ...keptOpen],
  });
  for (const stream of [child.stdout, child.stderr])
    stream.setEncoding('utf8').on('data', (text) => progress.add(text));
  const ended = new Promise((resolve) => {
    child.on('error', (error) => resolve(error.message));
    child.on('close', (code, signal) =>
      resolve(code === 0 ? undefined : `ended with ${signal ?? `exit code ${code}`}`),
    );
  });
  running.set(child, ended);
  const failure = await ended;
  running.delete(child);
  progress.end(stopped ? 'stopped' : failure && 'failed');
  if (!failure) return;
  const shown = [command, ...args].join(' ');
  throw new SetupError(
    [...progress.kept(), `${what} failed: \`${shown}\` ${failure}.`, hint].filter(Boolean).join('\n'),
  );
}

/** Ends the commands that run, and begins no other. */
export async function stopCommands() {
  stopped = true;
  for (const child of running.keys()) child.kill();
  await Promise.all(running.values());
}

/**
 * Standard output of a short command, or undefined when it is not there or fails.
 * @throws SetupError when this machine can start no process at the moment: that says nothing of the command
 */
export function tryCommand(command, args) {
  const { error, status, stdout } = spawnSync(command, args, {
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'ignore'],
  });
  if (error && EXHAUSTED.has(error.code)) throw new SetupError(`${command} cannot be started now: ${error.message}.`);
  return status === 0 ? stdout.trim() : undefined;
}

class Progress {
  /** Those of the commands that run, and what shows them. */
  static #all = new Set();
  static #timer;

  #first = [];
  #last = [];
  #started = Date.now();
  #what;

  constructor(what) {
    this.#what = what;
    say(`  ${what} ...`);
    Progress.#all.add(this);
    Progress.#timer ??= process.stdout.isTTY
      ? setInterval(
          () => process.stdout.write(`\r\x1b[2K${Progress.#line().slice(0, process.stdout.columns - 1)}`),
          REDRAW_EVERY_MS,
        )
      : setInterval(() => console.log(Progress.#line()), REPORT_EVERY_MS);
  }

  /** What runs, each with its seconds and the end of its newest output. */
  static #line() {
    return `    ${[...Progress.#all].map((progress) => progress.#state()).join(' | ')}`;
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

  /** @param fault how it ended, if not well */
  end(fault) {
    Progress.#all.delete(this);
    if (Progress.#all.size === 0) {
      clearInterval(Progress.#timer);
      Progress.#timer = undefined;
    }
    say(`  ${this.#what}: ${fault ? `${fault} after ` : ''}${this.#seconds()} s`);
  }

  #state() {
    const what = this.#what.replace(/ (from|of|with) .*/, '');
    const output = this.kept().at(-1)?.trim().slice(-40);
    return `${this.#seconds()} s ${what}${output ? `: ${output}` : ''}`;
  }

  #seconds() {
    return Math.round((Date.now() - this.#started) / 1000);
  }
}

/** A line that stays: on a terminal it takes the place of the one that changes. */
export function say(line) {
  console.log(process.stdout.isTTY ? `\r\x1b[2K${line}` : line);
}
