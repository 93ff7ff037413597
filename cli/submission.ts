import type { ForkPart } from '../contracts/identity.js';
import { DocumentRefused } from '../infra/documents/document-bounds.js';
import { parseJson } from '../infra/documents/json-document.js';
import { MAX_TEXT_BYTES, readTextFile } from '../infra/documents/read-text-file.js';
import { parseYaml } from '../infra/documents/yaml-document.js';
import { CliError } from './cli-error.js';
import type { Submission } from './client/api-client.js';

const STANDARD_INPUT = '-';

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

/** What `--set` says, as data. */
export function overridesOf(set: readonly string[]): Record<string, unknown> {
  const overrides: Record<string, unknown> = {};
  for (const assignment of set) assign(overrides, assignment);
  return overrides;
}

function overrule(file: string, content: string, { set, from }: Overrules): Record<string, unknown> {
  const config = parse(nameOf(file), content);
  if (!isRecord(config)) throw new CliError(`${nameOf(file)} must hold a mapping of keys to values.`);
  if (from) define(config, 'from', from);
  for (const assignment of set) assign(config, assignment);
  return config;
}

async function readContent(file: string): Promise<string> {
  try {
    return file === STANDARD_INPUT ? await readStandardInput() : readTextFile(file);
  } catch (error) {
    throw new CliError(`${nameOf(file)} cannot be read: ${(error as Error).message}`, 1, { cause: error });
  }
}

/** A file at the beginning of a sentence. */
function nameOf(file: string): string {
  return file === STANDARD_INPUT ? 'Standard input' : file;
}

async function readStandardInput(): Promise<string> {
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of process.stdin as AsyncIterable<Buffer>) {
    size += chunk.length;
    if (size > MAX_TEXT_BYTES) throw new Error(`it is larger than ${MAX_TEXT_BYTES} bytes`);
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString('utf8');
}

/** A name says which of the two it is; JSON that is not called so is YAML too. */
function parse(name: string, content: string): unknown {
  try {
    return name.endsWith('.json') ? parseJson(content) : parseYaml(content);
  } catch (error) {
    if (!(error instanceof DocumentRefused)) throw error;
    throw new CliError(
      `${name} is not ${name.endsWith('.json') ? 'JSON' : 'YAML'} that can be accepted: ${error.message}`,
      1,
      { cause: error },
    );
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
