// A process of the user tools: it loads the modules named on its command line, says what they export, and runs calls,
// many at once. It is JavaScript as it stands, because it is not compiled. Its parent is user-process.ts.
import { AsyncLocalStorage } from 'node:async_hooks';
import { pathToFileURL } from 'node:url';

/** Of a result, as text: far more than is kept of it. */
const MAX_RESULT = 4 * 1024 * 1024;
/** Of causes within causes. */
const DEPTH = 5;
/** Of an error's message. The planner, a failure and a log show less of it. */
const MAX_MESSAGE = 8 * 1024;

/** As it was before any module could change it. */
const send = process.send.bind(process);
/** What the modules execute, by their paths. */
const tools = new Map();
/** Calls that are open, by their numbers: each can be aborted. */
const open = new Map();
/** The number of the call that a piece of code runs for, whenever it runs. */
const current = new AsyncLocalStorage();

process.on('uncaughtException', strayed);
process.on('unhandledRejection', strayed);
process.on('disconnect', () => process.exit());
process.on('message', (message) => {
  if (message.type === 'call') void run(message);
  if (message.type === 'abort') open.get(message.id)?.abort(new globalThis.DOMException(message.reason, 'AbortError'));
  if (message.type === 'ping') send({ type: 'pong' });
});

for (const path of process.argv.slice(2)) await load(path);
send({ type: 'ready' });

async function load(path) {
  send({ type: 'loading', path });
  try {
    const { execute, ...exported } = await import(pathToFileURL(path).href);
    tools.set(path, execute);
    send({ type: 'loaded', path, exported: { ...exported, execute: typeof execute } });
  } catch (error) {
    send({ type: 'loaded', path, failed: String(error) });
  }
}

async function run({ id, path, input, seed }) {
  const controller = new globalThis.AbortController();
  open.set(id, controller);
  try {
    const execute = tools.get(path);
    const context = { signal: controller.signal, seed };
    finish(id, written(await current.run(id, async () => execute(input, context))));
  } catch (error) {
    finish(id, { error: described(error) });
  }
}

/** Once: a call that was ended by a stray error may still come to an end of its own. */
function finish(id, end) {
  if (open.delete(id)) send({ type: 'end', id, ...end });
}

/**
 * An error that nothing in the tool caught. It ends the call that it belongs to, if that is still open. What state it
 * leaves behind nobody knows: so the process takes no further calls, and goes when those that are open have ended.
 */
function strayed(error) {
  const id = current.getStore();
  const when = open.has(id) ? 'during a call' : 'outside of any open call';
  console.error(`A user tool threw ${when}:`, error);
  send({ type: 'retired' });
  finish(id, { error: described(error) });
}

/** Text as it stands, any other value as JSON. What JSON has no form for is written as it reads. */
function written(value) {
  const text = typeof value === 'string' ? value : json(value);
  if (typeof text !== 'string') return text;
  if (text.length <= MAX_RESULT) return { result: text };
  return { kind: 'output_limit', mistake: `the tool's result has ${text.length} characters, more than ${MAX_RESULT}` };
}

/** A value that cannot be written, such as one that holds itself, is the tool's failure: it would give the same again. */
function json(value) {
  try {
    return JSON.stringify(value, asItReads) ?? 'done';
  } catch (error) {
    const [reason] = String(error?.message ?? error).split('\n'); // a circle is told over several lines
    return { kind: 'failed', mistake: `the tool's result cannot be written as JSON: ${reason}` };
  }
}

function asItReads(_, part) {
  return typeof part === 'bigint' || (typeof part === 'number' && !Number.isFinite(part)) ? String(part) : part;
}

/** Of an error, what tells a mistake, an outage and a defect apart. */
function described(error, depth = DEPTH) {
  if (typeof error !== 'object' || error === null) return { name: 'Error', message: words(error) };
  const { name, message, code, status, statusCode, details, cause, errors } = error;
  const inner = (part) => described(part, depth - 1);
  return {
    name: words(name),
    message: words(message),
    ...Object.fromEntries(
      Object.entries({ code, status, statusCode, details })
        .filter(([, part]) => /string|number/.test(typeof part))
        .map(([key, part]) => [key, typeof part === 'string' ? words(part) : part]),
    ),
    ...(depth > 0 && cause !== undefined && { cause: inner(cause) }),
    ...(depth > 0 && Array.isArray(errors) && { errors: errors.slice(0, 10).map(inner) }),
  };
}

/** What a tool threw may be of any length, and may not even be a text. */
function words(value) {
  try {
    return String(value).slice(0, MAX_MESSAGE);
  } catch {
    return 'it cannot be written as a text';
  }
}
