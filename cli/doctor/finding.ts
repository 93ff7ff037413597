/** What a check found. */
export interface Finding {
  /** What was looked at, as in `disk`. */
  part: string;
  /** A problem keeps something from working; a warning may, or is about what does not run. */
  state: 'ok' | 'warning' | 'problem';
  /** What was found, in a sentence without its full stop. */
  message: string;
  /** What mends it: a command to give as it is, or to complete. */
  command?: string;
}

/** Looks at one part. What it throws counts as a problem that says so itself. */
export type Check = () => Finding[] | Promise<Finding[]>;

export function ok(part: string, message: string): Finding {
  return { part, state: 'ok', message };
}

export function warning(part: string, message: string, command?: string): Finding {
  return { part, state: 'warning', message, ...(command && { command }) };
}

export function problem(part: string, message: string, command?: string): Finding {
  return { part, state: 'problem', message, ...(command && { command }) };
}
