import { randomBytes } from 'node:crypto';

const BASE32 = 'abcdefghijklmnopqrstuvwxyz234567';

/** `run-` and ten random base32 characters: 50 bits. */
export function newRunId(): string {
  return `run-${Array.from(randomBytes(10), (byte) => BASE32[byte % 32]).join('')}`;
}
