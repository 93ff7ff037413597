import { createHash, webcrypto } from 'node:crypto';
import { createReadStream } from 'node:fs';

/** Hex sha256 of bytes, or of a text's UTF-8. */
export function sha256Hex(content: Uint8Array | string): string {
  return createHash('sha256').update(content).digest('hex');
}

/** The same of bytes that may be hundreds of megabytes: another thread computes it. */
export async function sha256OfLarge(content: Uint8Array): Promise<string> {
  return Buffer.from(await webcrypto.subtle.digest('SHA-256', content)).toString('hex');
}

/** The same of a file, which is not held in memory. */
export async function sha256OfFile(path: string): Promise<string> {
  const hash = createHash('sha256');
  for await (const piece of createReadStream(path)) hash.update(piece as Buffer);
  return hash.digest('hex');
}
