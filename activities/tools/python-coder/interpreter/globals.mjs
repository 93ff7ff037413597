// Evaluated inside the sandbox's realm, before Pyodide: the few globals that it needs. They are made of nothing but
// JavaScript's own built-ins, so that a program which reaches them has reached nothing.

/** Pyodide's shell mode reads its files through these two. */
const files = new Map();

export function allocateFile(name, bytes) {
  const content = new Uint8Array(bytes);
  files.set(name, content);
  return content;
}

export function forgetFiles() {
  files.clear();
}

globalThis.readbuffer = (path) => {
  const name = path.slice(path.lastIndexOf('/') + 1);
  if (!files.has(name)) throw new Error(`there is no file ${name}`);
  return files.get(name).buffer;
};
globalThis.read = globalThis.load = () => {
  throw new Error('there are no files');
};

// With this name defined Emscripten takes its random bytes from `crypto`, and not from a command of the shell.
globalThis.WorkerGlobalScope = class WorkerGlobalScope {};

/*
 * The clock: it begins at a fixed time and goes on by a millisecond whenever it is read, so that a program gives the
 * same output on every attempt (I5), and nothing of the host's time enters a prompt. Sleeping takes no time.
 */
const BEGINNING = Date.UTC(2025, 0, 1);
let milliseconds = 0;
Date.now = () => BEGINNING + ++milliseconds;
globalThis.performance = { now: () => ++milliseconds };

/** Random bytes are a function of the call's seed (I5). They are for simulations, and for no secret. */
let state = 1;

export function seedRandomBytes(seed) {
  state = seed >>> 0 || 1;
}

globalThis.crypto = {
  getRandomValues(view) {
    for (let index = 0; index < view.length; index += 1) {
      state ^= state << 13;
      state ^= state >>> 17;
      state ^= state << 5;
      view[index] = state >>> 24;
    }
    return view;
  },
};

const discard = () => undefined;
globalThis.setTimeout = globalThis.clearTimeout = discard; // nothing happens after a program's end
globalThis.console = { log: discard, info: discard, warn: discard, error: discard, debug: discard };

const DECODERS = {
  'utf-8': decodeUtf8,
  utf8: decodeUtf8,
  'utf-16le': (bytes) => decodeUnits(new Uint16Array(bytes.slice().buffer)),
  latin1: decodeUnits,
  ascii: decodeUnits,
};

globalThis.TextDecoder = class TextDecoder {
  #decode;

  constructor(encoding = 'utf-8') {
    this.#decode = DECODERS[encoding];
    if (!this.#decode) throw new RangeError(`unknown encoding ${encoding}`);
  }

  decode(view = new Uint8Array()) {
    return this.#decode(new Uint8Array(view.buffer ?? view, view.byteOffset ?? 0, view.byteLength));
  }
};

function decodeUnits(units) {
  let text = '';
  for (const unit of units) text += String.fromCharCode(unit);
  return text;
}

/** Well-formed UTF-8: the interpreter's own strings. */
function decodeUtf8(bytes) {
  let text = '';
  for (let at = 0; at < bytes.length;) {
    const first = bytes[at];
    const length = first < 0x80 ? 1 : first < 0xe0 ? 2 : first < 0xf0 ? 3 : 4;
    let code = length === 1 ? first : first & (0xff >> (length + 1));
    for (let next = 1; next < length; next += 1) code = (code << 6) | (bytes[at + next] & 0x3f);
    text += String.fromCodePoint(code & 0x1fffff);
    at += length;
  }
  return text;
}

globalThis.TextEncoder = class TextEncoder {
  encode(text) {
    const bytes = [];
    for (const character of text) bytes.push(...encodeCode(character.codePointAt(0)));
    return Uint8Array.from(bytes);
  }

  encodeInto(text, target) {
    const bytes = this.encode(text);
    target.set(bytes);
    return { read: text.length, written: bytes.length };
  }
};

function encodeCode(code) {
  const tail = (shift) => 0x80 | ((code >> shift) & 0x3f);
  if (code < 0x80) return [code];
  if (code < 0x800) return [0xc0 | (code >> 6), tail(0)];
  if (code < 0x10000) return [0xe0 | (code >> 12), tail(6), tail(0)];
  return [0xf0 | (code >> 18), tail(12), tail(6), tail(0)];
}
