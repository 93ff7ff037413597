// A tool of one's own: one file. Register it in the operator's file with
//   user_tools: { directory: /absolute/path/of/this/folder }
//   tools: [..., days_between]
// and name it under `flow.tools` of a run configuration. docs/tools.md says more.

export const name = 'days_between';

/** One line: what the planner reads. */
export const description = 'counts the days from one date to another, such as 2024-02-28 to 2024-03-01';

/** A JSON schema: arguments that do not match it never reach `execute`. */
export const schema = {
  type: 'object',
  properties: {
    from: { type: 'string', format: 'date', description: 'year-month-day' },
    to: { type: 'string', format: 'date', description: 'year-month-day' },
  },
  required: ['from', 'to'],
  additionalProperties: false,
};

/** It changes nothing: where a result is lost, the call may be made again. Without this it would be made once. */
export const repeatable = true;

const DAY_MS = 24 * 60 * 60 * 1000;

/** Returns text or a value. Throw an error named `ToolMistake` for what the planner can mend; after any other the call is made again. */
export function execute({ from, to }) {
  const [start, end] = [from, to].map((date) => Date.parse(`${date}T00:00:00Z`));
  if (end < start) {
    throw Object.assign(new Error('the second date is before the first'), { name: 'ToolMistake' });
  }
  return `${(end - start) / DAY_MS} days`;
}
