import { readFileSync } from 'node:fs';
import { isAbsolute } from 'node:path';
import { z } from 'zod';

/**
 * A shorter value is no key: taking it out of every text would spoil texts in which it stands by chance. Such a value is
 * found by its name only, as in `password=abc`.
 */
const MIN_LENGTH = 8;

const PLACES = 'must be { env: NAME } or { file: /absolute/path }';

/** Where the operator keeps a key: the operator's file says the place and never the key itself (I12). */
export const secretSource = z
  .union(
    [
      z.strictObject({
        env: z
          .string()
          .regex(/^[A-Z_][A-Z0-9_]*$/, PLACES)
          .meta({ title: 'name of a variable' }),
      }),
      z.strictObject({ file: z.string().refine(isAbsolute, PLACES).meta({ title: 'absolute path' }) }),
    ],
    { error: PLACES },
  )
  .meta({ title: 'place of a key', description: 'Where the key is.' });

export type SecretSource = z.infer<typeof secretSource>;

const variable = z.string().regex(/^[A-Za-z_][A-Za-z0-9_]*$/, 'must be the name of an environment variable');

/** What a process of the operator's is given in its environment. */
export const secretVariables = z
  .record(variable, secretSource)
  .default({})
  .meta({
    description:
      "Its secrets: where each of them is. Besides them it gets PATH, HOME and the like of the worker's environment.",
    examples: [{ FILES_TOKEN: { file: '/run/secrets/files' } }],
  });

/** A key is not where the operator's file says. The message names the place, never a value. */
export class SecretError extends Error {
  override readonly name = 'SecretError';
}

/** Every value that this process has read, longest first: what must not leave it in words (I6). */
const known: string[] = [];

/**
 * Reads a key, at the start of a process. From then on `knownSecrets` holds it, and `redact` takes it out of messages.
 * White space around the value is not part of it.
 * @throws SecretError when the place is empty or cannot be read, or its value is no key
 */
export function readSecret(source: SecretSource, env: NodeJS.ProcessEnv = process.env): string {
  const [place, text] =
    'env' in source
      ? [`the environment variable ${source.env}`, env[source.env]]
      : [source.file, readSecretFile(source.file)];
  const value = text?.trim() ?? '';
  if (value === '') throw new SecretError(`No key in ${place}.`);
  if (value.length < MIN_LENGTH) {
    throw new SecretError(
      `The key in ${place} is shorter than ${MIN_LENGTH} characters. If the server wants no key, leave \`key\` out.`,
    );
  }
  if (!/^[\x21-\x7e]+$/.test(value)) throw new SecretError(`The key in ${place} is not one line of printable ASCII.`);
  rememberSecret(value);
  return value;
}

/** @throws SecretError */
export function readSecretVariables(sources: Record<string, SecretSource>): Record<string, string> {
  return Object.fromEntries(Object.entries(sources).map(([name, source]) => [name, readSecret(source)]));
}

/**
 * Reads every key that a part of the operator's file names: all of the file's before anything runs or is logged in which
 * one of them could be.
 * @throws SecretError
 */
export function readSecretsIn(part: unknown): void {
  if (typeof part !== 'object' || part === null) return;
  const { data: source } = secretSource.safeParse(part);
  if (source) readSecret(source);
  else Object.values(part).forEach(readSecretsIn);
}

/** From now on `knownSecrets` holds a value that this process was given in another way than by `readSecret`. */
export function rememberSecret(value: string | undefined): void {
  if (value === undefined || value.length < MIN_LENGTH || known.includes(value)) return;
  known.push(value);
  known.sort((a, b) => b.length - a.length);
}

/** What a section of the operator's file is at run time: its key is read. */
export type WithKey<Section> = Section extends unknown ? Omit<Section, 'key'> & { key?: string } : never;

/** @throws SecretError */
export function withKey<Section extends { key?: SecretSource }>(
  { key, ...section }: Section,
  env: NodeJS.ProcessEnv = process.env,
): WithKey<Section> {
  return { ...section, ...(key && { key: readSecret(key, env) }) } as WithKey<Section>;
}

/** The keys that this process has read, longest first. */
export function knownSecrets(): readonly string[] {
  return known;
}

function readSecretFile(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch (error) {
    throw new SecretError(`The secret file cannot be read: ${(error as Error).message}`, { cause: error });
  }
}
