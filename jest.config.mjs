/** @type {import('jest').Config} */
export default {
  testEnvironment: 'node',
  // A test that hangs fails; one on a busy machine does not.
  testTimeout: 180_000,
  roots: ['api', 'workflows', 'activities', 'worker/agent', 'infra', 'test'].map((folder) => `<rootDir>/${folder}`),
  testMatch: ['**/*.spec.ts'],
  extensionsToTreatAsEsm: ['.ts'],
  transform: { '^.+\\.ts$': '@swc/jest' },
  moduleNameMapper: { '^(\\.{1,2}/.*)\\.js$': '$1' },
  globalSetup: '<rootDir>/infra/database/testing/global-setup.mjs',
  globalTeardown: '<rootDir>/infra/database/testing/global-teardown.mjs',
};
