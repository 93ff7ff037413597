import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { identifySelf } from '../../infra/local/process-identity.js';
import { stackPaths } from '../../infra/local/stack-options.js';
import { writeStackRecord } from '../../infra/local/stack-record.js';
import { claimSupervision } from '../../infra/local/supervision.js';
import { locateStorage } from './locate-storage.js';

const DATABASE = 'postgres://agentflow:secret@127.0.0.1:8432/agentflow';

describe(locateStorage, () => {
  let directory: string;
  let env: NodeJS.ProcessEnv;

  beforeEach(async () => {
    directory = await mkdtemp(join(tmpdir(), 'agentflow-data-'));
    env = { AGENTFLOW_DATA: directory, AGENTFLOW_CACHE: '/caches' };
  });
  afterEach(async () => rm(directory, { recursive: true }));

  const ofStack = () => ({
    DATABASE_URL: DATABASE,
    AGENTFLOW_ARTIFACTS: `file://${directory}/artifacts`,
    AGENTFLOW_MODELS_CACHE: '/caches/models',
  });

  it('says what to do where the stack is not up', () => {
    const urls = { api: '', docs: '', temporal: '', database: DATABASE, policyServer: '' };
    writeStackRecord(stackPaths(directory).record, { children: {}, urls });
    expect(() => locateStorage(env)).toThrow(/npm run up/);
  });

  it('is that of the running stack; each variable goes before it', () => {
    const supervision = claimSupervision(directory);
    const urls = { api: '', docs: '', temporal: '', database: DATABASE, policyServer: '' };
    writeStackRecord(stackPaths(directory).record, { supervisor: identifySelf(), children: {}, urls });
    try {
      expect(locateStorage(env)).toEqual(ofStack());
      const AGENTFLOW_ARTIFACTS = 'file:///elsewhere';
      expect(locateStorage({ ...env, AGENTFLOW_ARTIFACTS })).toEqual({ ...ofStack(), AGENTFLOW_ARTIFACTS });
    } finally {
      supervision.release();
    }
  });

  it('needs no stack where the database is not its own', () => {
    const other = 'postgres://u:p@host/db';
    expect(locateStorage({ ...env, DATABASE_URL: other })).toEqual({ ...ofStack(), DATABASE_URL: other });
  });
});
