import { spawn } from 'node:child_process';
import { join } from 'node:path';
import { z } from 'zod';
import { PROJECT_ROOT } from '../../../infra/config/project-root.js';
import { boundToParent, stackMark } from '../../../infra/processes/bound-child.js';
import type { WebDocument } from '../http/web-client.js';
import { WebRefused } from '../http/web-errors.js';
import { PERMISSION } from '../python-coder/interpreter-command.js';
import {
  OUT_OF_HEAP,
  watchLimits,
  type PassedLimit,
  type ProcessLimits,
} from '../../../infra/processes/watch-limits.js';

/** JavaScript as it stands: it is not compiled. */
const EXTRACT = join(PROJECT_ROOT, 'activities/tools/web-reader/extract.mjs');
/** What the child may read: itself, and the libraries that it uses. */
const READABLE = [EXTRACT, join(PROJECT_ROOT, 'node_modules', '*')].map((path) => `--allow-fs-read=${path}`);
const HEAP_MB = 384;
/** More than the child ever writes. */
const MAX_OUTPUT = 16 * 1024 * 1024;

const outputSchema = z.union([
  z.strictObject({ title: z.string(), blocks: z.array(z.string()) }),
  z.strictObject({ error: z.string() }),
]);

export const EXTRACTION_LIMITS: ProcessLimits = { cpuSeconds: 15, seconds: 60, megabytes: 768 };

export interface DocumentText {
  title: string;
  /** Paragraphs, headings, list items, rows of tables, or pages of a PDF, in order. */
  blocks: string[];
}

/**
 * The text of an HTML page, a PDF or a plain text, read in a child process that is killed at its limits, and with the
 * signal. It has an empty environment (but for the stack's mark), and Node's permissions let it read its libraries' code and start nothing.
 * @throws WebRefused where the document cannot be read within the limits
 */
export async function extractDocument(
  { bytes, contentType, charset }: Omit<WebDocument, 'url'>,
  signal: AbortSignal,
  limits = EXTRACTION_LIMITS,
): Promise<DocumentText> {
  const { command, args } = boundToParent({
    command: process.execPath,
    args: [PERMISSION, ...READABLE, `--max-old-space-size=${HEAP_MB}`, EXTRACT],
  });
  const child = spawn(command, args, { env: stackMark(), stdio: ['pipe', 'pipe', 'ignore'] });
  const exit = new Promise<NodeJS.Signals | null>((resolve, reject) => {
    child.once('error', reject).once('close', (_, killed) => resolve(killed));
  });
  const kill = () => child.kill('SIGKILL');
  signal.addEventListener('abort', kill, { once: true });
  const watch = watchLimits(child, limits);
  try {
    // A child that was killed does not read its input to the end.
    child.stdin.on('error', () => undefined);
    child.stdin.end(Buffer.concat([Buffer.from(`${JSON.stringify({ contentType, charset })}\n`), bytes]));
    const [output, killed] = await Promise.all([collect(child.stdout), exit]);
    signal.throwIfAborted();
    const passed = watch.passed() ?? (OUT_OF_HEAP.has(killed) ? 'memory_limit' : undefined);
    if (passed) throw new WebRefused(passed, WORDS[passed]);
    return readOutput(output);
  } finally {
    kill();
    watch.stop();
    signal.removeEventListener('abort', kill);
  }
}

const WORDS: Record<PassedLimit, string> = {
  time_limit: 'the page takes too long to read',
  memory_limit: 'the page needs too much memory to read',
};

async function collect(stdout: AsyncIterable<Buffer>): Promise<string> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of stdout) {
    bytes += chunk.length;
    if (bytes > MAX_OUTPUT) throw new WebRefused('output_limit', 'the page has too much text');
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString();
}

/** An answer that is not whole comes from a child that somebody else killed: an outage (I2). */
function readOutput(output: string): DocumentText {
  const read = outputSchema.parse(JSON.parse(output));
  if ('error' in read) throw new WebRefused('not_found', `the page cannot be read: ${read.error}`);
  return read;
}
