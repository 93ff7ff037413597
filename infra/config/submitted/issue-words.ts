import type { z } from 'zod';

type Issue = z.core.$ZodIssue;
type IssueOf<Code extends Issue['code']> = Extract<Issue, { code: Code }>;

export const MISSING = 'is missing';

/** How a message of zod's own begins: a schema that says its own does not use these words. */
const OF_ZOD = /^(Invalid|Unrecognized key|Too (small|big):)/;

const KINDS: Record<string, string> = {
  string: 'a text',
  number: 'a number',
  int: 'a whole number',
  boolean: 'true or false',
  array: 'a list',
  object: 'an object',
  record: 'an object',
};
/** What a size counts; anything else is a number itself. */
const UNITS: Record<string, string> = { string: 'character', array: 'item' };
const FORMATS: Record<string, string> = {
  datetime: 'must be a time, as in 2026-01-31T12:00:00Z',
  date: 'must be a day, as in 2026-01-31',
  url: 'must be a URL',
};

/** What is wrong, as it follows the name of the value: in the schema's words if it has any, else in ours. */
export function issueWords(issue: Issue): string {
  if (!OF_ZOD.test(issue.message)) return issue.message;
  switch (issue.code) {
    case 'invalid_type':
      return isMissing(issue) ? MISSING : `must be ${kindOf(issue)}`;
    case 'too_small':
      return boundWords(issue, issue.minimum, { size: 'at least', exclusive: 'more than' });
    case 'too_big':
      return boundWords(issue, issue.maximum, { size: 'at most', exclusive: 'less than' });
    case 'invalid_value':
      return oneOf(issue.values.map((value) => (typeof value === 'bigint' ? String(value) : value)));
    case 'invalid_format':
      return FORMATS[issue.format] ?? (issue.pattern ? `must match ${issue.pattern}` : issue.message);
    case 'not_multiple_of':
      return `must be a multiple of ${issue.divisor}`;
    case 'unrecognized_keys':
      return `unknown ${issue.keys.length === 1 ? 'key' : 'keys'} ${quoted(issue.keys)}`;
    case 'invalid_union':
      return unionWords(issue);
    case 'invalid_key':
    case 'invalid_element':
    case 'custom':
      return issue.message;
  }
}

/** Also where the issue does not hold the value itself. */
function isMissing({ message }: IssueOf<'invalid_type'>): boolean {
  return message.endsWith('received undefined');
}

function kindOf({ expected }: IssueOf<'invalid_type'>): string {
  return KINDS[expected] ?? expected;
}

function boundWords(
  { origin, inclusive, exact }: IssueOf<'too_small' | 'too_big'>,
  bound: number | bigint,
  words: { size: string; exclusive: string },
): string {
  const unit = UNITS[origin];
  const compared = exact ? 'exactly' : inclusive === false ? words.exclusive : words.size;
  if (unit === undefined) return `must be ${compared} ${bound}`;
  return `must have ${compared} ${bound} ${unit}${Number(bound) === 1 ? '' : 's'}`;
}

function unionWords(issue: IssueOf<'invalid_union'>): string {
  if ('options' in issue && issue.options) return oneOf(issue.options);
  const first = issue.errors.map(([one]) => one);
  if (!first.every((one) => one?.code === 'invalid_type' && one.path.length === 0)) {
    return 'has none of the forms that it may have';
  }
  const types = first as IssueOf<'invalid_type'>[];
  return types.every(isMissing) ? MISSING : `must be ${[...new Set(types.map(kindOf))].join(' or ')}`;
}

function oneOf(values: readonly unknown[]): string {
  return `must be ${values.length === 1 ? '' : 'one of '}${quoted(values)}`;
}

function quoted(values: readonly unknown[]): string {
  return values.map((value) => JSON.stringify(value)).join(', ');
}
