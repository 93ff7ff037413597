import js from '@eslint/js';
import prettier from 'eslint-config-prettier';
import imports from 'eslint-plugin-import-x';
import reactHooks from 'eslint-plugin-react-hooks';
import tseslint from 'typescript-eslint';

/** Folder = where code may run. Each list says what a folder must not import (ARCHITECTURE.md#rooms-and-imports). */
const boundaries = {
  contracts: ['workflows', 'activities', 'worker', 'api', 'cli', 'infra'],
  workflows: ['activities', 'worker', 'api', 'cli', 'infra'],
  infra: ['workflows', 'activities', 'worker', 'api', 'cli'],
  activities: ['workflows', 'worker', 'api', 'cli'],
  api: ['workflows', 'activities', 'worker', 'cli', 'dashboard'],
  cli: ['workflows', 'activities', 'worker', 'api'],
  worker: ['api', 'cli'],
  dashboard: ['workflows', 'activities', 'worker', 'api', 'infra', 'contracts'],
};

const zones = Object.entries(boundaries).flatMap(([target, from]) =>
  from.map((folder) => ({
    target: `./${target}`,
    from: `./${folder}`,
    message: `${target} must not import ${folder}`,
  })),
);

/** A spec of the API may drive it by the command line, its client, and a spec of that needs an API. */
const specZones = zones.filter(
  ({ target, from }) => !(target === './api' && from === './cli') && !(target === './cli' && from === './api'),
);

/** The ground truth is looked up by scoring and by nothing else: no agent module can see it . */
const truthZones = ['engines', 'modules', 'tools', 'trajectories', 'runs'].flatMap((folder) =>
  ['ground-truth.ts', 'atlas/truth.ts', 'items', 'formats', 'game24'].map((file) => ({
    target: `./activities/${folder}`,
    from: `./activities/datasets/${file}`,
    message: 'only scoring may see the ground truth',
  })),
);

/** What tools and engines both use, and what uses none of them. */
const groundZones = ['http', 'text'].map((folder) => ({
  target: `./activities/${folder}`,
  from: './activities',
  except: [`./${folder}`],
  message: `activities/${folder} is the ground of the other activities and imports none of them`,
}));
const engineZone = { target: './activities/engines', from: './activities/tools', message: 'engines know no tools' };

export default tseslint.config(
  {
    ignores: ['dist/', 'coverage/', '.agentflow/', '.cache/', 'node_modules/', 'worker/gpu/'],
  },
  js.configs.recommended,
  {
    files: ['**/*.ts', '**/*.tsx'],
    extends: [tseslint.configs.recommendedTypeChecked],
    languageOptions: { parserOptions: { projectService: true, tsconfigRootDir: import.meta.dirname } },
    plugins: { import: imports },
    settings: {
      'import-x/resolver-next': [
        imports.createNodeResolver({ extensions: ['.ts', '.js'], extensionAlias: { '.js': ['.ts', '.js'] } }),
      ],
    },
    rules: {
      eqeqeq: 'error',
      'import/no-restricted-paths': ['error', { zones: [...zones, ...truthZones, ...groundZones, engineZone] }],
      '@typescript-eslint/consistent-type-imports': ['error', { fixStyle: 'inline-type-imports' }],
      '@typescript-eslint/no-floating-promises': 'error',
      '@typescript-eslint/no-misused-promises': 'error',
      '@typescript-eslint/switch-exhaustiveness-check': 'error',
      // An async function without await turns what it throws into a rejection: what an async contract promises.
      '@typescript-eslint/require-await': 'off',
      '@typescript-eslint/no-unused-vars': ['error', { argsIgnorePattern: '^_' }],
    },
  },
  {
    files: ['workflows/**/*.ts', 'contracts/**/*.ts'],
    ignores: [
      '**/*.spec.ts',
      'contracts/*-config.ts',
      'contracts/objectives/*.ts',
      'contracts/names.ts',
      'contracts/events.ts',
    ],
    rules: {
      'no-restricted-imports': [
        'error',
        {
          patterns: [
            {
              regex: '^(?!@temporalio/(workflow|common)$|\\.)',
              message: 'workflow code imports contracts and the Temporal workflow package, nothing else',
            },
          ],
        },
      ],
    },
  },
  {
    files: ['**/*.spec.ts', 'test/**/*.ts'],
    rules: {
      '@typescript-eslint/no-unsafe-assignment': 'off',
      '@typescript-eslint/unbound-method': 'off',
      'import/no-restricted-paths': ['error', { zones: specZones }],
      '@typescript-eslint/no-unsafe-member-access': 'off',
    },
  },
  {
    files: ['dashboard/**/*.{ts,tsx}'],
    extends: [reactHooks.configs.flat.recommended],
    rules: {
      // The router's refusals and redirects are thrown, and are no errors.
      '@typescript-eslint/only-throw-error': 'off',
    },
  },
  {
    // Written from docs/openapi.json, where a field may be a certain word or any text.
    files: ['cli/client/api-types.ts'],
    rules: { '@typescript-eslint/no-redundant-type-constituents': 'off' },
  },
  {
    files: ['**/*.mjs'],
    languageOptions: {
      globals: {
        console: 'readonly',
        process: 'readonly',
        URL: 'readonly',
        setTimeout: 'readonly',
        clearTimeout: 'readonly',
        setInterval: 'readonly',
        clearInterval: 'readonly',
        fetch: 'readonly',
        Buffer: 'readonly',
      },
    },
  },
  prettier,
);
