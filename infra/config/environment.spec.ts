import { describe, expect, it } from '@jest/globals';
import { redact, redactKnown } from '../redaction/redact.js';
import { EnvironmentError, readEnvironment } from './environment.js';

describe(readEnvironment, () => {
  it('returns typed values, defaults included', () => {
    const env = { DATABASE_URL: 'postgres://u:p@127.0.0.1:1/d', AGENTFLOW_API_PORT: '8401' };
    const names = ['DATABASE_URL', 'AGENTFLOW_API_PORT', 'HF_ENDPOINT'] as const;
    expect(readEnvironment(names, env)).toEqual({
      ...env,
      AGENTFLOW_API_PORT: 8401,
      HF_ENDPOINT: 'https://huggingface.co',
    });
  });

  it('lists every bad variable by name and never shows a value', () => {
    const env = { DATABASE_URL: 'mysql://u:secret@h/d', AGENTFLOW_API_PORT: '70000' };
    const read = () => readEnvironment(['DATABASE_URL', 'AGENTFLOW_API_PORT', 'AGENTFLOW_ARTIFACTS'], env);
    expect(read).toThrow(EnvironmentError);
    expect(read).toThrow(
      /DATABASE_URL must be a postgres:\/\/ URL[^]*AGENTFLOW_API_PORT [^]*AGENTFLOW_ARTIFACTS is not set/,
    );
    expect(read).not.toThrow(/secret/);
  });

  it('does not look at variables that the process did not ask for', () => {
    expect(readEnvironment(['AGENTFLOW_API_PORT'], { DATABASE_URL: 'nonsense' })).toEqual({ AGENTFLOW_API_PORT: 8400 });
  });

  it('remembers the keys and the password that it has read, which no text may repeat (I6)', () => {
    const env = { DATABASE_URL: 'postgres://u:pass%20word%2F1@h/d', AGENTFLOW_API_KEY: 'af_the-key-of-a-project' };
    readEnvironment(['DATABASE_URL', 'AGENTFLOW_API_KEY'], env);
    readEnvironment(['DATABASE_URL'], { DATABASE_URL: 'postgres://u:abc@h/d' });
    readEnvironment(['DATABASE_URL'], { DATABASE_URL: 'postgres://u:not%escaped@h/d' });
    expect(redactKnown('pass word/1, pass+word%2F1, af_the-key-of-a-project, not%escaped')).toBe('***, ***, ***, ***');
    // Too short to be a key: a text that holds it by chance stays as it is.
    expect(redactKnown('abc abcd')).toBe('abc abcd');
    expect(redact('postgres://u:abc@h and password=abc')).toBe('postgres://***@h and password=***');
  });

  it('counts an empty variable as unset', () => {
    expect(() => readEnvironment(['AGENTFLOW_API_KEY'], { AGENTFLOW_API_KEY: '' })).toThrow(/is not set/);
  });
});
