import type { z } from 'zod';
import { issueWords, MISSING } from './issue-words.js';
import { nearest } from './nearest.js';
import { choiceAt, keyPaths, knownKeys, placeAt, type Path, type Place } from './schema-place.js';

type Issue = z.core.$ZodIssue;

/** Issues that are told of one document. */
export const MAX_ISSUES = 20;

/** One thing to correct in what was submitted. */
export interface ConfigIssue {
  /** Where, as a key path: `flow.tools[1]`; empty for the whole document. */
  param: string;
  message: string;
}

/** What is told of a configuration that is refused, and how many more there are. */
export interface DescribedIssues {
  issues: ConfigIssue[];
  more: number;
}

/**
 * What was submitted, complete: every default filled in, every name registered, nothing that cannot work. Or everything
 * that is wrong with it.
 */
export type Checked<Config> = { config: Config } | DescribedIssues;

/** What zod found in a configuration, each as a sentence about a key path; of many the first. */
export function describeIssues(configuration: Place, found: readonly Issue[]): DescribedIssues {
  const issues: ConfigIssue[] = [];
  let count = 0;
  for (const issue of found) {
    const room = MAX_ISSUES - issues.length;
    if (issue.code === 'unrecognized_keys') {
      issues.push(...unknownKeys(configuration, issue.path, issue.keys.slice(0, room)));
      count += issue.keys.length;
      continue;
    }
    if (room > 0) issues.push(describe(issue));
    count += 1;
  }
  return { issues, more: count - issues.length };
}

/**
 * Issues as a list, of many the first.
 * @param more issues that are not among these
 */
export function listIssues(issues: readonly ConfigIssue[], more = 0): DescribedIssues & { lines: string } {
  const listed = issues.slice(0, MAX_ISSUES);
  const left = more + issues.length - listed.length;
  const lines = [...listed.map(({ message }) => `- ${message}`), ...(left > 0 ? [`- and ${left} more`] : [])];
  return { issues: listed, more: left, lines: lines.join('\n') };
}

/** `['flow', 'tools', 1]` as `flow.tools[1]`. */
function formatPath(path: Path): string {
  return path.reduce<string>((text, key) => {
    if (typeof key === 'number') return `${text}[${key}]`;
    return text ? `${text}.${String(key)}` : String(key);
  }, '');
}

function describe(issue: Issue): ConfigIssue {
  const param = formatPath(issue.path);
  const reason = misplacedLocation(issue) ?? describeReason(issue);
  return { param, message: `${param || 'the configuration'}: ${reason}` };
}

function describeReason(issue: Issue): string {
  if (issue.input === undefined && issue.code === 'invalid_type') return MISSING;
  const given = shown(issue.input);
  const message = issueWords(issue);
  return given === undefined ? message : `${message} (got ${given})`;
}

/** A value that fits into a sentence. */
function shown(input: unknown): string | undefined {
  if (input === undefined || (typeof input === 'object' && input !== null)) return undefined;
  if (typeof input === 'string' && input.length > 80) return undefined;
  return JSON.stringify(input);
}

/** A path or URL where a registered name belongs (I12). */
function misplacedLocation(issue: Issue): string | undefined {
  if (issue.code !== 'invalid_format' || issue.format !== 'regex' || typeof issue.input !== 'string') return undefined;
  const kind = /^[a-z][a-z0-9+.-]*:/i.test(issue.input) ? 'URL' : /[/\\~]|^\.+$/.test(issue.input) ? 'path' : undefined;
  if (!kind) return undefined;
  return `${JSON.stringify(issue.input.slice(0, 80))} is a ${kind}; a configuration only names what the operator registered. It must not hold a path, URL or command`;
}

function unknownKeys(configuration: Place, path: Path, keys: readonly string[]): ConfigIssue[] {
  if (keys.length === 0) return [];
  const known = knownKeys(placeAt(configuration, path));
  const everywhere = keyPaths(placeAt(configuration, []));
  const made = choiceAt(configuration, path);
  return keys.map((key) => {
    const param = formatPath([...path, key]);
    if (made?.elsewhere.includes(key)) {
      return { param, message: `${param}: does not belong to ${made.choice}. Known here: ${known.join(', ')}.` };
    }
    const suggestion = likelyKey(key, known, path) ?? elsewhere(key, everywhere);
    const help = suggestion ? `Did you mean "${suggestion}"?` : `Known here: ${known.join(', ')}.`;
    return { param, message: `${param}: unknown key. ${help}` };
  });
}

/** Close enough to be a slip: about a third of the letters. */
function likelyKey(key: string, known: readonly string[], path: Path): string | undefined {
  const candidate = nearest(key, known, (choice) => Math.max(2, Math.floor(choice.length / 3)));
  return candidate === undefined ? undefined : formatPath([...path, candidate]);
}

/** The key stands at the wrong level. */
function elsewhere(key: string, paths: readonly string[]): string | undefined {
  return paths.find((path) => path === key || path.endsWith(`.${key}`));
}
