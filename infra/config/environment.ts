import { isAbsolute, join, resolve } from 'node:path';
import { z } from 'zod';
import { PROJECT_ROOT } from './project-root.js';
import { rememberSecret } from './secrets.js';

const port = z.coerce.number().int().min(1).max(65_535);
const absolutePath = z.string().refine(isAbsolute, 'must be an absolute path').meta({ title: 'absolute path' });
const httpUrl = z.url({ protocol: /^https?$/, error: 'must be an http:// or https:// URL' }).meta({ title: 'URL' });

/**
 * Every environment variable of the TypeScript processes. Temporal's own (TEMPORAL_ADDRESS and friends) are read by
 * @temporalio/envconfig, see infra/temporal.
 */
export const environmentSchema = z.object({
  DATABASE_URL: z
    .url({ protocol: /^postgres(ql)?$/, error: 'must be a postgres:// URL' })
    .meta({ title: 'URL', description: 'The database: `postgres://user:password@host:port/database`.' }),
  AGENTFLOW_ARTIFACTS: z
    .string()
    .regex(/^file:\/\/\//, 'must be a file:/// URL of a directory')
    .meta({ title: '`file:///absolute/directory`', description: 'Root of the artifact store.' }),
  AGENTFLOW_POLICY_SERVER_URL: httpUrl.describe(
    'The policy server. The API needs it for the models `policy:RUN@n` alone, and starts without it.',
  ),
  AGENTFLOW_POLICY_SERVER_KEY: z.string().optional().describe('The API key of the policy server, if it wants one.'),
  AGENTFLOW_API_PORT: port.default(8400).describe('Port on 127.0.0.1.'),
  AGENTFLOW_API_URL: httpUrl.describe('Where the API is. Without it: what `api.json` in the data directory says.'),
  AGENTFLOW_API_KEY: z.string().min(1).describe('The API key. Without it: the one in `api.json`.'),
  AGENTFLOW_OPERATOR_FILE: absolutePath
    .default(join(PROJECT_ROOT, 'infra/local/operator.yaml'))
    .describe("The operator's file."),
  AGENTFLOW_DATA: z
    .string()
    .default('.agentflow')
    .transform((path) => resolve(PROJECT_ROOT, path))
    .meta({
      title: 'path',
      description: 'Data directory of the local stack, absolute or relative to the checkout. It has one supervisor.',
    }),
  AGENTFLOW_CACHE: z
    .string()
    .default('.cache')
    .transform((path) => resolve(PROJECT_ROOT, path))
    .meta({
      title: 'path',
      description:
        'What set-up downloads and builds: the Temporal server, base models, packages. Absolute or relative to the checkout. It can be deleted.',
    }),
  HF_ENDPOINT: httpUrl
    .default('https://huggingface.co')
    .describe('The Hugging Face hub, or a mirror of it, for `agentflow datasets fetch`.'),
  HF_TOKEN: z
    .string()
    .optional()
    .describe('A token for gated datasets, used by `agentflow datasets fetch` and stored nowhere.'),
});

/** What each process that is not the local stack reads. */
export const PROCESS_VARIABLES = {
  api: ['DATABASE_URL', 'AGENTFLOW_API_PORT', 'AGENTFLOW_ARTIFACTS', 'AGENTFLOW_OPERATOR_FILE'],
  agentWorker: [
    'DATABASE_URL',
    'AGENTFLOW_ARTIFACTS',
    'AGENTFLOW_CACHE',
    'AGENTFLOW_OPERATOR_FILE',
    'AGENTFLOW_POLICY_SERVER_KEY',
    'AGENTFLOW_POLICY_SERVER_URL',
  ],
} as const satisfies Record<string, readonly EnvironmentName[]>;

export type Environment = z.infer<typeof environmentSchema>;
export type EnvironmentName = keyof Environment;

/** The environment lacks a variable or holds a bad one. The message lists all of them, never their values. */
export class EnvironmentError extends Error {
  override readonly name = 'EnvironmentError';
}

/**
 * Reads the named variables into a typed object: once per process, at its start. An empty variable counts as unset.
 * @throws EnvironmentError when a variable without a default is missing or one does not parse.
 */
export function readEnvironment<Name extends EnvironmentName>(
  names: readonly Name[],
  env: NodeJS.ProcessEnv = process.env,
): Pick<Environment, Name> {
  const set = Object.fromEntries(names.flatMap((name) => (env[name] ? [[name, env[name]]] : [])));
  const mask = Object.fromEntries(names.map((name) => [name, true])) as Record<EnvironmentName, true>;
  const parsed = environmentSchema.pick(mask).safeParse(set);
  if (parsed.success) {
    rememberSecretsOf(parsed.data);
    return parsed.data;
  }
  const lines = parsed.error.issues.map((issue) => {
    const name = String(issue.path[0]);
    return `  ${name} ${name in set ? issue.message : 'is not set'}`;
  });
  throw new EnvironmentError(`Environment variables to correct:\n${lines.join('\n')}`);
}

/** What must not leave the process in words (I6). */
function rememberSecretsOf(environment: Partial<Environment>): void {
  for (const name of ['AGENTFLOW_API_KEY', 'AGENTFLOW_POLICY_SERVER_KEY', 'HF_TOKEN'] as const) {
    rememberSecret(environment[name]);
  }
  if (environment.DATABASE_URL === undefined) return;
  const { password } = new URL(environment.DATABASE_URL);
  rememberSecret(/%(?![0-9a-f]{2})/i.test(password) ? password : decodeURIComponent(password));
}
