import { readFile } from 'node:fs/promises';
import { text } from 'node:stream/consumers';
import type { ForkPart } from '../../workflows/contracts/identity.js';
import { parseYaml, YamlError } from '../common/yaml-document.js';
import { CliError } from './cli-error.js';
import type { Submission } from './client/api-client.js';

/** What the command line changes of a configuration file. */
export interface Overrules {
  /** `key.path=value` each, the value in YAML. */
  set: readonly string[];
  /** Replaces the file's `from`; `set` comes after it. */
  from?: { policy: string; optimizer: boolean; allow: ForkPart[] };
}

/**
 * A configuration file as it is sent: unchanged, so that the API's messages name the file's own lines, or with keys
 * overruled, as JSON.
 * @param file a path; `-` is standard input
 */
export async function readSubmission(file: string, overrules: Overrules): Promise<Submission> {
  const content = await readContent(file);
  if (overrules.set.length === 0 && !overrules.from) {
    return { body: content, contentType: file.endsWith('.json') ? 'application/json' : 'application/yaml' };
  }
  return { body: JSON.stringify(overrule(file, content, overrules)), contentType: 'application/json' };
}

/** The same configuration as data, not yet checked. */
export async function readConfiguration(file: string, overrules: Overrules): Promise<Record<string, unknown>> {
  return overrule(file, await readContent(file), overrules);
}

function overrule(file: string, content: string, { set, from }: Overrules): Record<string, unknown> {
  const config = parse(file, content);
  if (!isRecord(config)) throw new CliError(`${file} must hold a mapping of keys to values.`);
  if (from) define(config, 'from', from);
  for (const assignment of set) assign(config, assignment);
  return config;
}

async function readContent(file: string): Promise<string> {
  try {
    return file === '-' ? await text(process.stdin) : await readFile(file, 'utf8');
  } catch (error) {
    throw new CliError(`${file} cannot be read: ${(error as Error).message}`, 1, { cause: error });
  }
}

/** JSON is YAML too. */
function parse(name: string, content: string): unknown {
  try {
    return parseYaml(content);
  } catch (error) {
    if (!(error instanceof YamlError)) throw error;
    throw new CliError(`${name} is not YAML that can be accepted: ${error.message}`, 1, { cause: error });
  }
}

function assign(config: Record<string, unknown>, assignment: string): void {
  const match = /^([^=]+)=(.*)$/s.exec(assignment);
  if (!match) throw new CliError(`--set ${assignment}: must have the form key.path=value.`);
  const keys = match[1]?.split('.') ?? [];
  const last = keys.pop() ?? '';
  let at = config;
  for (const key of keys) {
    const next = Object.hasOwn(at, key) ? at[key] : {};
    if (!isRecord(next)) throw new CliError(`--set ${assignment}: "${key}" holds no keys.`);
    at = define(at, key, next);
  }
  define(at, last, parse(`--set ${assignment}`, match[2] ?? ''));
}

/** Not an assignment: a key named `__proto__` must stay a key, for the API to refuse. */
function define<T>(target: Record<string, unknown>, key: string, value: T): T {
  Object.defineProperty(target, key, { value, enumerable: true, configurable: true, writable: true });
  return value;
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
