import { randomBytes } from 'node:crypto';

const BASE32 = 'abcdefghijklmnopqrstuvwxyz234567';

/** The prefix and ten random base32 characters: 50 bits. */
export function newId(prefix: 'run' | 'flow' | 'eval'): string {
  return `${prefix}-${Array.from(randomBytes(10), (byte) => BASE32[byte % 32]).join('')}`;
}
