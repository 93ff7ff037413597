import { join } from 'node:path';
import { CACHE } from './infra/local/setup/paths.mjs';

/** @type {import('jest').Config} */
export default {
  testEnvironment: 'node',
  // A test that hangs fails; one on a busy machine does not.
  testTimeout: 180_000,
  roots: [
    'contracts',
    'api',
    'cli',
    'dashboard',
    'workflows',
    'activities',
    'worker/agent',
    'infra',
    'bench',
    'test',
  ].map((folder) => `<rootDir>/${folder}`),
  testMatch: ['**/*.spec.ts'],
  extensionsToTreatAsEsm: ['.ts'],
  transform: { '^.+\\.ts$': '@swc/jest' },
  moduleNameMapper: { '^(\\.{1,2}/.*)\\.js$': '$1' },
  // Not the temporary directory, which goes when the tests end.
  cacheDirectory: join(CACHE, 'jest'),
  globalSetup: '<rootDir>/test/runner/global-setup.mjs',
  globalTeardown: '<rootDir>/test/runner/global-teardown.mjs',
};
