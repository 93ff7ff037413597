import { mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import { knownSecrets, readSecret, SecretError, secretSource } from './secrets.js';

function secretFile(text: string): string {
  const path = join(mkdtempSync(join(tmpdir(), 'secret-')), 'key');
  writeFileSync(path, text);
  return path;
}

describe(readSecret, () => {
  it('reads a key from the environment or a file, without the white space around it, and remembers it (I6)', () => {
    expect(readSecret({ env: 'SEARCH_KEY' }, { SEARCH_KEY: 'from-the-environment' })).toBe('from-the-environment');
    expect(readSecret({ file: secretFile('from-a-secret-file\n') })).toBe('from-a-secret-file');
    expect(knownSecrets()).toEqual(['from-the-environment', 'from-a-secret-file']);
  });

  it.each([
    ['is not there', {}, /No key in the environment variable SEARCH_KEY/],
    ['is empty', { SEARCH_KEY: ' ' }, /No key in the environment variable SEARCH_KEY/],
    ['is too short to be one', { SEARCH_KEY: 'tiny' }, /SEARCH_KEY is shorter than 8/],
    ['would break a header', { SEARCH_KEY: 'first-line\nsecond-line' }, /SEARCH_KEY is not one line/],
  ])('says where a key %s, and never its value', (_, env, message) => {
    const read = () => readSecret({ env: 'SEARCH_KEY' }, env);
    expect(read).toThrow(SecretError);
    expect(read).toThrow(message);
    expect(read).not.toThrow(/tiny|first-line/);
  });

  it('names a secret file that cannot be read', () => {
    expect(() => readSecret({ file: '/nowhere/key' })).toThrow(/\/nowhere\/key/);
  });
});

describe('the place of a secret in the operator file', () => {
  it.each([{ env: 'A_KEY' }, { file: '/run/secrets/key' }])('is %p', (source) => {
    expect(secretSource.parse(source)).toEqual(source);
  });

  it.each(['sk-the-key-itself', { env: 'a key' }, { file: 'relative' }, { env: 'A', file: '/b' }, { value: 'k' }])(
    'is not %p: it never holds the key itself (I12)',
    (source) => {
      expect(() => secretSource.parse(source)).toThrow(/must be \{ env: NAME \} or \{ file/);
    },
  );
});
