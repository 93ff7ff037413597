import { describe, expect, it } from '@jest/globals';
import { temporalEnvironment } from './stack-environment.js';
import { BadPort, stackOptionsFromEnvironment } from './stack-options.js';

describe(stackOptionsFromEnvironment, () => {
  it('has default ports and starts servers of its own', () => {
    const options = stackOptionsFromEnvironment({});
    expect(options).toMatchObject({ existingTemporal: false, databaseUrl: undefined });
    expect(options.ports).toEqual({ postgres: 8432, temporal: 7233, temporalUi: 8233, policyServer: 8460, api: 8400 });
  });

  it('takes ports and existing servers from the environment', () => {
    const env = { AGENTFLOW_API_PORT: '0', TEMPORAL_ADDRESS: 'cluster:7233', DATABASE_URL: 'postgres://u:p@host/db' };
    expect(stackOptionsFromEnvironment(env)).toMatchObject({
      ports: { api: 0 },
      existingTemporal: true,
      databaseUrl: 'postgres://u:p@host/db',
    });
  });

  it('starts no policy server where there is one', () => {
    expect(stackOptionsFromEnvironment({}).services).toContain('policy-server');
    const options = stackOptionsFromEnvironment({ AGENTFLOW_POLICY_SERVER_URL: 'http://gpu:8000' });
    expect(options.policyServerUrl).toBe('http://gpu:8000');
    expect(options.services).toEqual(['trainer', 'agent-worker', 'api']);
  });

  it('names a variable that is no port', () => {
    expect(() => stackOptionsFromEnvironment({ AGENTFLOW_POSTGRES_PORT: 'x' })).toThrow(BadPort);
    expect(() => stackOptionsFromEnvironment({ AGENTFLOW_POSTGRES_PORT: 'x' })).toThrow(/AGENTFLOW_POSTGRES_PORT/);
  });
});

describe(temporalEnvironment, () => {
  const settings = { TEMPORAL_ADDRESS: 'cluster:7233', TEMPORAL_API_KEY: 'k' };

  it('keeps the settings of another cluster away from the processes of our own server', () => {
    const { ports, ...options } = stackOptionsFromEnvironment({});
    const env = temporalEnvironment({ ...options, ports }, { ...ports, temporal: 1234 }, settings);
    expect(env['TEMPORAL_ADDRESS']).toBe('127.0.0.1:1234');
    expect(env).not.toHaveProperty('TEMPORAL_API_KEY');
    expect(env['TEMPORAL_CONFIG_FILE']).toContain(options.dataDirectory);
  });

  it('passes the settings of an existing cluster on', () => {
    const options = stackOptionsFromEnvironment(settings);
    expect(temporalEnvironment(options, options.ports, settings)).toEqual(settings);
  });
});
