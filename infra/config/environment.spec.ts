import { describe, expect, it } from '@jest/globals';
import { EnvironmentError, readEnvironment } from './environment.js';

describe(readEnvironment, () => {
  it('returns typed values, defaults included', () => {
    const env = { DATABASE_URL: 'postgres://u:p@127.0.0.1:1/d', AGENTFLOW_API_PORT: '8401' };
    const names = ['DATABASE_URL', 'AGENTFLOW_API_PORT', 'AGENTFLOW_POLICY_SERVER_PORT'] as const;
    expect(readEnvironment(names, env)).toEqual({
      ...env,
      AGENTFLOW_API_PORT: 8401,
      AGENTFLOW_POLICY_SERVER_PORT: 8460,
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

  it('counts an empty variable as unset', () => {
    expect(() => readEnvironment(['AGENTFLOW_API_KEY'], { AGENTFLOW_API_KEY: '' })).toThrow(/is not set/);
  });
});
