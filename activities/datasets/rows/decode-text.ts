import { createReadStream } from 'node:fs';
import { open } from 'node:fs/promises';
import { TextDecoder } from 'node:util';
import { RowError } from './rows.js';

/** What Windows-1252 has between 0x80 and 0x9F; five places are empty. */
const WINDOWS_1252 = '€\x81‚ƒ„…†‡ˆ‰Š‹Œ\x8dŽ\x8f\x90‘’“”•–—˜™š›œ\x9džŸ';
const EMPTY_PLACES = new Set([0x81, 0x8d, 0x8f, 0x90, 0x9d]);
/** Bytes beyond ASCII that stand beside each other are more than this share of all in texts of other alphabets. */
const MOST_BESIDE = 0.5;

/**
 * A file as text, without its byte-order mark: UTF-8, UTF-16 (by its mark, or by the zero bytes of ASCII), or UTF-8 in
 * which bytes that are not are Windows-1252, which `note` is told. No character is ever replaced.
 * @throws RowError if it is none of these
 */
export async function* decodeText(path: string, note: (text: string) => void): AsyncGenerator<string> {
  const utf16 = await utf16Of(path);
  if (utf16 !== undefined) yield* decoded(path, new TextDecoder(utf16, { fatal: true }));
  else if (await isUtf8(path)) yield* decoded(path, new TextDecoder('utf-8', { fatal: true }));
  else {
    const strays = await strayBytes(path);
    if (strays.beside > MOST_BESIDE * strays.count || strays.empty > 0) {
      throw new RowError(`${path}: is neither UTF-8 nor UTF-16 nor Windows-1252. Convert it to UTF-8.`);
    }
    note(`${path}: ${strays.count} bytes are not UTF-8, and were read as Windows-1252. Better convert it to UTF-8.`);
    yield* decodedBytes(path);
  }
}

/** The same by lines. They end in a line feed and in nothing else: JSON holds U+2028 in its texts. */
export async function* linesOf(pieces: AsyncIterable<string>): AsyncGenerator<string> {
  // A line may be all of a file: it is joined once, and not with each piece.
  let open: string[] = [];
  for await (const piece of pieces) {
    const lines = piece.split('\n');
    const last = lines.pop() as string;
    for (const line of lines) {
      yield [...open, line].join('');
      open = [];
    }
    open.push(last);
  }
  yield open.join('');
}

async function utf16Of(path: string): Promise<'utf-16le' | 'utf-16be' | undefined> {
  const file = await open(path);
  const { buffer: head, bytesRead } = await file.read(Buffer.alloc(4), 0, 4, 0).finally(() => file.close());
  if (bytesRead < 2) return undefined;
  const [first, second] = head;
  if (first === 0xff && second === 0xfe) return 'utf-16le';
  if (first === 0xfe && second === 0xff) return 'utf-16be';
  if (bytesRead < 4 || (first === 0) === (second === 0)) return undefined;
  return first === 0 ? 'utf-16be' : 'utf-16le';
}

async function isUtf8(path: string): Promise<boolean> {
  try {
    for await (const text of decoded(path, new TextDecoder('utf-8', { fatal: true }))) void text;
    return true;
  } catch (error) {
    if (error instanceof RowError) return false;
    throw error;
  }
}

/** @throws RowError if the bytes are none of the encoding */
async function* decoded(path: string, decoder: TextDecoder): AsyncGenerator<string> {
  const decode = (bytes?: Buffer): string => {
    try {
      return bytes ? decoder.decode(bytes, { stream: true }) : decoder.decode();
    } catch (error) {
      throw new RowError(`${path}: is not ${decoder.encoding}`, { cause: error });
    }
  };
  for await (const bytes of createReadStream(path)) yield decode(bytes as Buffer);
  yield decode();
}

/** Pieces of a file whose bytes are each a part of UTF-8, or else a character of Windows-1252. */
async function* decodedBytes(path: string): AsyncGenerator<string> {
  for await (const { bytes, strays } of piecesOfBytes(path)) {
    let text = '';
    let start = 0;
    for (const position of strays) {
      text += bytes.toString('utf8', start, position) + windows1252(bytes[position]);
      start = position + 1;
    }
    yield text + bytes.toString('utf8', start);
  }
}

async function strayBytes(path: string): Promise<{ count: number; beside: number; empty: number }> {
  const found = { count: 0, beside: 0, empty: 0 };
  for await (const { bytes, strays } of piecesOfBytes(path)) {
    const positions = new Set(strays);
    found.count += strays.length;
    found.beside += strays.filter((position) => positions.has(position - 1) || positions.has(position + 1)).length;
    found.empty += strays.filter((position) => EMPTY_PLACES.has(bytes[position])).length;
  }
  return found;
}

/** The bytes of a file in pieces that end in ASCII, which is part of no other character, and where the strays stand. */
async function* piecesOfBytes(path: string): AsyncGenerator<{ bytes: Buffer; strays: number[] }> {
  let rest = Buffer.alloc(0);
  for await (const chunk of createReadStream(path)) {
    const bytes = Buffer.concat([rest, chunk as Buffer]);
    let end = bytes.length;
    while (end > 0 && bytes[end - 1] >= 0x80) end -= 1;
    rest = bytes.subarray(end);
    yield withStrays(bytes.subarray(0, end));
  }
  yield withStrays(rest);
}

function withStrays(bytes: Buffer): { bytes: Buffer; strays: number[] } {
  const strays: number[] = [];
  for (let at = 0; at < bytes.length;) {
    const length = bytes[at] < 0x80 ? 1 : lengthOfCharacter(bytes, at);
    if (length === 0) strays.push(at);
    at += Math.max(1, length);
  }
  return { bytes, strays };
}

/** Bytes of the UTF-8 character that begins here; 0 if none does. */
function lengthOfCharacter(bytes: Buffer, at: number): number {
  const first = bytes[at];
  const length = first >= 0xf0 ? 4 : first >= 0xe0 ? 3 : first >= 0xc2 ? 2 : 0;
  if (length === 0 || at + length > bytes.length) return 0;
  return isUtf8Character(bytes.subarray(at, at + length)) ? length : 0;
}

function isUtf8Character(bytes: Buffer): boolean {
  return !bytes.toString('utf8').includes('\uFFFD') || bytes.equals(Buffer.from('\uFFFD'));
}

function windows1252(byte: number): string {
  return byte < 0xa0 ? WINDOWS_1252[byte - 0x80] : String.fromCharCode(byte);
}
