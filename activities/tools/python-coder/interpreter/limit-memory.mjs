const MEMORY_SECTION = 5;
const HEADER_BYTES = 8;

/**
 * Sets the least and the most memory that a WebAssembly module declares, in place. V8 enforces the declared maximum
 * whatever the code in the module does.
 * @param pages { least, most } in pages of 64 KB
 */
export function limitMemory(wasm, { least, most }) {
  for (let at = HEADER_BYTES; at < wasm.length;) {
    const id = wasm[at];
    const [size, body] = readNumber(wasm, at + 1);
    if (id === MEMORY_SECTION) {
      const [, flags] = readNumber(wasm, body);
      const [, maximum] = readNumber(wasm, flags + 1);
      const [, end] = readNumber(wasm, maximum);
      writeNumber(wasm, flags + 1, maximum, least);
      writeNumber(wasm, maximum, end, most);
      return wasm;
    }
    at = body + size;
  }
  throw new Error('this WebAssembly module declares no memory');
}

/** An unsigned LEB128 number and the place behind it. */
function readNumber(bytes, start) {
  let value = 0;
  for (let at = start; ; at += 1) {
    value += (bytes[at] & 0x7f) * 2 ** (7 * (at - start));
    if (bytes[at] < 0x80) return [value, at + 1];
  }
}

/** Fills the bytes that another number took: the format allows leading zeros. */
function writeNumber(bytes, start, end, value) {
  for (let at = start; at < end; at += 1) {
    bytes[at] = (value & 0x7f) | (at < end - 1 ? 0x80 : 0);
    value >>>= 7;
  }
  if (value > 0) throw new Error('the limit does not fit into the module');
}
