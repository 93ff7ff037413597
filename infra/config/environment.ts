import { isAbsolute, join, resolve } from 'node:path';
import { z } from 'zod';
import { PROJECT_ROOT } from './project-root.js';

const port = z.coerce.number().int().min(1).max(65_535);
const absolutePath = z.string().refine(isAbsolute, 'must be an absolute path');
const httpUrl = z.url({ protocol: /^https?$/, error: 'must be an http:// or https:// URL' });

/**
 * Every environment variable of the TypeScript processes. Temporal's own (TEMPORAL_ADDRESS and friends) are read by
 * @temporalio/envconfig, see infra/temporal.
 */
const environmentSchema = z.object({
  DATABASE_URL: z.url({ protocol: /^postgres(ql)?$/, error: 'must be a postgres:// URL' }),
  /** Root of the artifact store. */
  AGENTFLOW_ARTIFACTS: z.string().regex(/^file:\/\/\//, 'must be a file:/// URL of a directory'),
  /** Directory of the dequantised base models. */
  AGENTFLOW_MODELS_CACHE: absolutePath,
  AGENTFLOW_POLICY_SERVER_URL: httpUrl,
  /** The key that the policy server wants, where it wants one. */
  AGENTFLOW_POLICY_SERVER_KEY: z.string().optional(),
  AGENTFLOW_POLICY_SERVER_PORT: port.default(8460),
  /** The policy server's append-only request log. */
  AGENTFLOW_REQUEST_LOG: absolutePath,
  AGENTFLOW_API_PORT: port.default(8400),
  AGENTFLOW_API_URL: httpUrl,
  AGENTFLOW_API_KEY: z.string().min(1),
  AGENTFLOW_OPERATOR_FILE: absolutePath.default(join(PROJECT_ROOT, 'infra/local/operator.yaml')),
  /** Data directory of the local stack; a relative one is relative to the project. */
  AGENTFLOW_DATA: z
    .string()
    .default('.agentflow')
    .transform((path) => resolve(PROJECT_ROOT, path)),
  /** What set-up downloads and builds; a relative one is relative to the project. */
  AGENTFLOW_CACHE: z
    .string()
    .default('.cache')
    .transform((path) => resolve(PROJECT_ROOT, path)),
  /** The Hugging Face hub, or a mirror of it. */
  HF_ENDPOINT: httpUrl.default('https://huggingface.co'),
  /** For gated datasets; used by the fetch command and stored nowhere. */
  HF_TOKEN: z.string().optional(),
});

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
  if (parsed.success) return parsed.data;
  const lines = parsed.error.issues.map((issue) => {
    const name = String(issue.path[0]);
    return `  ${name} ${name in set ? issue.message : 'is not set'}`;
  });
  throw new EnvironmentError(`Environment variables to correct:\n${lines.join('\n')}`);
}
