import { closest, distance } from 'fastest-levenshtein';
import type { z } from 'zod';
import { badRequest, type ApiIssue } from '../../common/api-error.js';
import { choiceAt, keyPaths, knownKeys, placeAt, type Path, type Place } from './schema-place.js';

type Issue = z.core.$ZodIssue;

/** What zod found in a configuration, each as a sentence about a key path. */
export function describeIssues(configuration: Place, issues: readonly Issue[]): ApiIssue[] {
  return issues.flatMap((issue) =>
    issue.code === 'unrecognized_keys' ? unknownKeys(configuration, issue.path, issue.keys) : [describe(issue)],
  );
}

/** @param what is refused, at the beginning of a sentence */
export function refusal(code: string, what: string, issues: ApiIssue[]): Error {
  const lines = issues.map(({ message }) => `- ${message}`);
  return badRequest(code, `${what} cannot be accepted:\n${lines.join('\n')}`, { param: issues[0]?.param, issues });
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
  if (issue.code !== 'invalid_format' || issue.format !== 'regex' || typeof issue.input !== 'string') return undefined;
  const kind = /^[a-z][a-z0-9+.-]*:/i.test(issue.input) ? 'URL' : /[/\\~]|^\.+$/.test(issue.input) ? 'path' : undefined;
  if (!kind) return undefined;
  return `${JSON.stringify(issue.input.slice(0, 80))} is a ${kind}; a configuration only names what the operator registered, it carries no path, URL or command`;
}

function unknownKeys(configuration: Place, path: Path, keys: readonly string[]): ApiIssue[] {
  const known = knownKeys(placeAt(configuration, path));
  const everywhere = keyPaths(placeAt(configuration, []));
  const made = choiceAt(configuration, path);
  return keys.map((key) => {
    const param = formatPath([...path, key]);
    if (made?.elsewhere.includes(key)) {
      return { param, message: `${param}: has no meaning with ${made.choice}. Known here: ${known.join(', ')}.` };
    }
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
