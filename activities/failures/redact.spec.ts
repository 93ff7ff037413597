import { describe, expect, it } from '@jest/globals';
import { readSecret } from '../../infra/config/secrets.js';
import { redact, redactKnown } from './redact.js';
import { redactingErrors } from './redacting-errors.js';

describe('redact', () => {
  it.each([
    ['connect postgres://me:hunter2@db:5432/x failed', 'connect postgres://***@db:5432/x failed'],
    ['Authorization: Bearer abc.def', 'Authorization: *** ***'],
    ['401 for Bearer abc.def-1', '401 for Bearer ***'],
    ['password=hunter2;host=db', 'password=***;host=db'],
    ['{"api_key": "k-123", "a": 1}', '{"api_key": ***, "a": 1}'],
    ['access_token=abc', 'access_token=***'],
  ])('%s', (text, expected) => {
    expect(redact(text)).toBe(expected);
  });

  it('takes out every key that was read, however it is written, and nothing else (I6)', () => {
    const key = readSecret({ env: 'MARKED' }, { MARKED: 'marked/key+with"quote' });
    const texts = [
      `the key ${key} is not valid`,
      `GET /search?key=${encodeURIComponent(key)}`,
      JSON.stringify({ said: key }),
      Buffer.from(`${key}:`).toString('base64'),
    ];
    for (const text of texts) {
      expect(redact(text)).not.toMatch(/marked|bWFya2Vk/);
      expect(redactKnown(text)).not.toMatch(/marked|bWFya2Vk/);
    }
    expect(redactKnown('token: a marked grave')).toBe('token: a marked grave');
  });

  it('leaves ordinary messages alone', () => {
    const text = 'The prompt has 2100 tokens: http://127.0.0.1:8460/v1 takes 2048, tokens: 3, a@b';
    expect(redact(text)).toBe(text);
  });
});

describe('redactingErrors', () => {
  it('cleans message, stack and causes of what an activity throws, and keeps the error itself', async () => {
    const error = new Error('no postgres://me:hunter2@db', { cause: new Error('password=hunter2') });
    const { fails } = redactingErrors({ fails: () => Promise.reject(error) });
    await expect(fails()).rejects.toBe(error);
    expect(`${error.message} ${error.stack} ${(error.cause as Error).message}`).not.toContain('hunter2');
  });
});
