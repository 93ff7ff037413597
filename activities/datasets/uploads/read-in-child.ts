import { spawn } from 'node:child_process';
import { join } from 'node:path';
import PQueue from 'p-queue';
import type { UploadCheck } from '../../../contracts/uploaded-dataset.js';
import { PROJECT_ROOT } from '../../../infra/config/project-root.js';
import { boundToParent, stackMark } from '../../../infra/processes/bound-child.js';
import {
  OUT_OF_HEAP,
  watchLimits,
  type PassedLimit,
  type ProcessLimits,
} from '../../../infra/processes/watch-limits.js';
import { PERMISSION } from '../../tools/python-coder/interpreter-command.js';
import type { UploadedFile } from './read-upload.js';

const PROGRAM = join(PROJECT_ROOT, 'dist/worker/agent/read-upload.js');
/** What the child may read besides the file: its own code, and what Node looks at to load it. */
const READABLE = ['dist/*', 'node_modules/*', 'package.json'].map((path) => join(PROJECT_ROOT, path));
interface ReadLimits extends ProcessLimits {
  /** Of V8's heap, in megabytes: it ends at it by itself, and is collected with more zeal before. */
  heap: number;
}
export const READ_LIMITS: ReadLimits = { cpuSeconds: 600, seconds: 600, megabytes: 4096, heap: 3072 };
/** Files that are read at once: each may take that much. */
const CONCURRENCY = 2;
/** Of the report: more than it ever has. */
const MAX_OUTPUT = 16 * 1024 * 1024;

const queue = new PQueue({ concurrency: CONCURRENCY });

/**
 * Reads an uploaded file in a process of its own, which is killed at its limits, and with the signal: a file that is made to
 * take all memory takes this worker's calls with it otherwise.
 * @throws if the process was ended by somebody else
 */
export async function readInChild(file: UploadedFile, signal: AbortSignal, limits = READ_LIMITS): Promise<UploadCheck> {
  return queue.add<UploadCheck>(() => read(file, signal, limits));
}

async function read(file: UploadedFile, signal: AbortSignal, limits: ReadLimits): Promise<UploadCheck> {
  signal.throwIfAborted();
  const readable = [...READABLE, file.path].map((path) => `--allow-fs-read=${path}`);
  const { command, args } = boundToParent({
    command: process.execPath,
    args: [PERMISSION, ...readable, `--max-old-space-size=${limits.heap}`, PROGRAM, JSON.stringify(file)],
  });
  const child = spawn(command, args, { env: stackMark(), stdio: ['ignore', 'pipe', 'pipe'], signal });
  const watch = watchLimits(child, limits);
  try {
    const ended = new Promise<{ code: number | null; killed: NodeJS.Signals | null }>((resolve, reject) => {
      child.once('error', reject).once('close', (code, killed) => resolve({ code, killed }));
    });
    const [output, said, { code, killed }] = await Promise.all([collect(child.stdout), collect(child.stderr), ended]);
    const passed = watch.passed() ?? (OUT_OF_HEAP.has(killed) ? 'memory_limit' : undefined);
    if (passed) return refusal(tooMuch(passed, limits));
    if (code !== 0) throw new Error(`The process that reads ${file.path} ended with ${killed ?? code}: ${said}`);
    return JSON.parse(output) as UploadCheck;
  } finally {
    watch.stop();
    child.kill('SIGKILL');
  }
}

function tooMuch(passed: PassedLimit, { seconds, megabytes }: ReadLimits): string {
  const limit = passed === 'time_limit' ? `${seconds} s` : `${megabytes} MB of memory`;
  return `Reading the file takes more than ${limit}. Upload it in parts.`;
}

function refusal(message: string): UploadCheck {
  const mistakes = { count: 1, first: [{ row: null, place: null, column: null, message }] };
  return { report: null, preview: [], mistakes };
}

async function collect(stream: AsyncIterable<Buffer>): Promise<string> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of stream) {
    bytes += chunk.length;
    if (bytes <= MAX_OUTPUT) chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString();
}
