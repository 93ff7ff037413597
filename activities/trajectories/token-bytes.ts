import { endianness } from 'node:os';

/** int32, little-endian. */
export function packInt32(values: readonly number[]): Buffer {
  const bytes = Buffer.alloc(values.length * 4);
  values.forEach((value, index) => bytes.writeInt32LE(value, index * 4));
  return bytes;
}

/** float32, little-endian. */
export function packFloat32(values: readonly number[]): Buffer {
  const bytes = Buffer.alloc(values.length * 4);
  values.forEach((value, index) => bytes.writeFloatLE(value, index * 4));
  return bytes;
}

export function unpackInt32(bytes: Buffer): Int32Array {
  return new Int32Array(wordsOf(bytes));
}

export function unpackFloat32(bytes: Buffer): Float32Array {
  return new Float32Array(wordsOf(bytes));
}

/** A copy in the order of this machine, whole: a step has tens of millions of tokens. */
function wordsOf(bytes: Buffer): ArrayBuffer {
  const copy = new Uint8Array(bytes);
  if (endianness() === 'BE') Buffer.from(copy.buffer).swap32();
  return copy.buffer;
}
