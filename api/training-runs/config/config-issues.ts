import { closest, distance } from 'fastest-levenshtein';
import { z } from 'zod';
import type { ApiIssue } from '../../common/api-error.js';

type Issue = z.core.$ZodIssue;
type Path = readonly PropertyKey[];

/** What zod found in a configuration, each as a sentence about a key path. */
export function describeIssues(schema: z.ZodType, issues: readonly Issue[]): ApiIssue[] {
  return issues.flatMap((issue) =>
    issue.code === 'unrecognized_keys' ? unknownKeys(schema, issue.path, issue.keys) : [describe(issue)],
  );
}

/** `['flow', 'tools', 1]` as `flow.tools[1]`. */
export function formatPath(path: Path): string {
  return path.reduce<string>((text, key) => {
    if (typeof key === 'number') return `${text}[${key}]`;
    return text ? `${text}.${String(key)}` : String(key);
  }, '');
}

function describe(issue: Issue): ApiIssue {
  const param = formatPath(issue.path);
  const reason = misplacedLocation(issue) ?? describeReason(issue);
  return { param, message: `${param || 'the configuration'}: ${reason}` };
}

function describeReason(issue: Issue): string {
  if (issue.input === undefined && issue.code === 'invalid_type') return 'is required';
  const given = issue.input === undefined ? undefined : JSON.stringify(issue.input);
  const message = issue.message.replace(/^Invalid input: /, '');
  return given === undefined || given.length > 80 ? message : `${message} (got ${given})`;
}

/** A path or URL where a registered name belongs (I12). */
function misplacedLocation(issue: Issue): string | undefined {
  if (issue.code !== 'invalid_format' || typeof issue.input !== 'string') return undefined;
  const kind = /^[a-z][a-z0-9+.-]*:/i.test(issue.input) ? 'URL' : /[/\\~]|^\.+$/.test(issue.input) ? 'path' : undefined;
  if (!kind) return undefined;
  return `${JSON.stringify(issue.input.slice(0, 80))} is a ${kind}; a configuration only names what the operator registered, it carries no path, URL or command`;
}

function unknownKeys(schema: z.ZodType, path: Path, keys: readonly string[]): ApiIssue[] {
  const known = keysAt(schema, path);
  const everywhere = keyPaths(schema);
  return keys.map((key) => {
    const param = formatPath([...path, key]);
    const suggestion = nearest(key, known, path) ?? elsewhere(key, everywhere);
    const help = suggestion ? `Did you mean "${suggestion}"?` : `Known here: ${known.join(', ')}.`;
    return { param, message: `${param}: unknown key. ${help}` };
  });
}

/** Close enough to be a slip: about a third of the letters. */
function nearest(key: string, known: readonly string[], path: Path): string | undefined {
  if (known.length === 0) return undefined;
  const candidate = closest(key, [...known]);
  const near = distance(key.toLowerCase(), candidate) <= Math.max(2, Math.floor(candidate.length / 3));
  return near ? formatPath([...path, candidate]) : undefined;
}

/** The key stands at the wrong level. */
function elsewhere(key: string, paths: readonly string[]): string | undefined {
  return paths.find((path) => path === key || path.endsWith(`.${key}`));
}

function keysAt(schema: z.ZodType, path: Path): string[] {
  const target = path.reduce<z.ZodType | undefined>((at, key) => at && child(at, key), schema);
  const inner = target && unwrap(target);
  if (inner instanceof z.ZodObject) return Object.keys(inner.shape);
  if (inner instanceof z.ZodRecord && inner.keyType instanceof z.ZodEnum) return inner.keyType.options.map(String);
  return [];
}

function keyPaths(schema: z.ZodType, prefix = ''): string[] {
  const inner = unwrap(schema);
  if (!(inner instanceof z.ZodObject)) return [];
  return Object.entries(inner.shape as Record<string, z.ZodType>).flatMap(([key, value]) => [
    prefix + key,
    ...keyPaths(value, `${prefix}${key}.`),
  ]);
}

function child(schema: z.ZodType, key: PropertyKey): z.ZodType | undefined {
  const inner = unwrap(schema);
  if (inner instanceof z.ZodObject) return (inner.shape as Record<PropertyKey, z.ZodType>)[key];
  if (inner instanceof z.ZodArray) return inner.element as z.ZodType;
  return undefined;
}

/** Without the optional(), default() and prefault() around it. */
function unwrap(schema: z.ZodType): z.ZodType {
  if (schema instanceof z.ZodOptional || schema instanceof z.ZodDefault || schema instanceof z.ZodPrefault) {
    return unwrap(schema.unwrap() as z.ZodType);
  }
  return schema;
}
