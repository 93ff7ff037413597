import { relative } from 'node:path';
import { z } from 'zod';
import { evaluationConfigSchema } from '../../../contracts/evaluation-config.js';
import { runConfigSchema } from '../../../contracts/run-config.js';
import { environmentSchema, PROCESS_VARIABLES } from '../../../infra/config/environment.js';
import { operatorSchema } from '../../../infra/config/operator-file.js';
import { datasetEntries } from '../../../infra/config/operator/datasets.js';
import { PROJECT_ROOT } from '../../../infra/config/project-root.js';
import { PORT_SETTINGS } from '../../../infra/local/stack-options.js';
import { questionSchema } from '../../agent-flows/dto/question.dto.js';
import { choices, groupBy, KeyRows, type Row, type Schema } from './rows.js';

/** The environment variables of each Python process, by its name. */
export type PythonSettings = Record<string, Schema>;

/** docs/configuration.md: every key that can be set, from the schemas that read them. */
export function configurationPage(python: PythonSettings): string {
  const rows = new KeyRows();
  const run = jsonSchema(runConfigSchema);
  const evaluation = jsonSchema(evaluationConfigSchema);
  const parts = [
    HEAD,
    RUN,
    ...sections(rows, run),
    EVALUATION,
    ...likeARun(rows, evaluation, run),
    QUESTION,
    ...likeARun(rows, jsonSchema(questionSchema), evaluation),
    OPERATOR,
    ...sections(new KeyRows(), operator()),
    ENVIRONMENT,
    '### The local stack and the command line',
    table(stackRows()),
    '### Processes that something else starts',
    table(processRows(python), 'read by'),
    ARITHMETIC,
  ];
  return `${parts.join('\n\n')}\n`;
}

const HEAD = `# Configuration

Every key that can be set, with its type and bounds, its default and its meaning. This page is generated from the schemas
that read the keys (\`npm run docs:configuration\`); a test compares it with them.

| what | who sets it | where |
| --- | --- | --- |
| [a training run](#training-run) | the user who submits it | a YAML or JSON file, such as \`examples/quickstart.yaml\` |
| [an evaluation on benchmarks](#evaluation-on-benchmarks) | the user who submits it | a YAML or JSON file |
| [a question](#question) | the user who asks it | a request, or a file for \`agentflow solve --config\` |
| [what all of these may name](#operators-file) | the operator of the server | \`infra/local/operator.yaml\`, or the file that \`AGENTFLOW_OPERATOR_FILE\` names |
| [the processes](#environment-variables) | whoever starts them | environment variables |

An unknown key is an error that names the nearest known one. All errors are reported at once. A key whose default is empty
is off, or absent, unless it is set. A *registered name* has lower-case letters, digits, \`.\`, \`_\` and \`-\`, at most 64 of
them, and is one that the operator has registered. A *place of a key* is \`{ env: NAME }\` or
\`{ file: /absolute/path }\`. What a user submits holds no path, URL, command or key.`;

const RUN = `## Training run

\`\`\`sh
npx agentflow train examples/quickstart.yaml --set training.learning_rate=1e-5
npx agentflow train examples/quickstart.yaml --dry-run
\`\`\`

\`--set\` replaces a key without editing the file. \`--dry-run\` submits nothing and loads no model: it checks the file, prints it
with every default filled in, and says what a step consists of and what memory its gradient needs. Its exit code is 1 if
that does not fit this machine, or the device that \`--device-gib\` gives.`;

const EVALUATION = `## Evaluation on benchmarks

For \`agentflow eval FILE\`: [benchmarks.md](benchmarks.md). Keys of \`flow\` that are not listed are those of a training run.`;

const QUESTION = `## Question

The body of \`POST /v1/agent_flows\`: [solve.md](solve.md). A file for \`agentflow solve --config\` has the same keys, except
\`question\`. \`flow\` has the keys that it has in an evaluation.`;

const OPERATOR = `## Operator's file

The API, the agent worker, the policy server and the trainer read it when they start. Restart them after a change.`;

const ENVIRONMENT = `## Environment variables

A process reads its variables once, when it starts, and lists all that are missing or wrong. An empty variable counts as
unset. Variables that begin with \`TEMPORAL_\` are read by Temporal's own environment configuration.`;

const ARITHMETIC = `The Python processes set \`OMP_NUM_THREADS\` (2), \`OMP_WAIT_POLICY\` (\`PASSIVE\`) and \`MKL_CBWR\` (\`AVX512,STRICT\` or
\`AVX2,STRICT\`) if they are unset. These are part of what is computed: a run that changes them on the way ends with other
bytes.`;

/** Variables of the local stack, and what they mean there if that is not what they mean to a process. */
const STACK_VARIABLES = {
  AGENTFLOW_DATA: undefined,
  AGENTFLOW_CACHE: undefined,
  AGENTFLOW_OPERATOR_FILE: undefined,
  DATABASE_URL: 'An existing PostgreSQL, which is used instead of a private one.',
  AGENTFLOW_POLICY_SERVER_URL: 'An existing policy server, such as vLLM, which is used instead of the embedded one.',
  AGENTFLOW_API_URL: undefined,
  AGENTFLOW_API_KEY: undefined,
  HF_ENDPOINT: undefined,
  HF_TOKEN: undefined,
} satisfies Partial<Record<keyof typeof environmentSchema.shape, string | undefined>>;

/** A choice between this many options has a table for each. Between more, each row says which options have its key. */
const SPLIT = 2;

function jsonSchema(schema: z.ZodType): Schema {
  return z.toJSONSchema(schema, { io: 'input', unrepresentable: 'any' });
}

/** The section `datasets` picks the schema of an entry by its keys, which no JSON schema says. */
function operator(): Schema {
  const schema = jsonSchema(operatorSchema);
  const { additionalProperties } = jsonSchema(datasetEntries);
  const datasets = { ...(schema.properties?.datasets as Schema), type: 'object' as const, additionalProperties };
  return { ...schema, properties: { ...schema.properties, datasets } };
}

/** A table of the keys that hold a value, and a section for each that holds keys. */
function sections(rows: KeyRows, { properties = {}, required = [] }: Schema): string[] {
  const entries = Object.entries(properties) as [string, Schema][];
  const values = entries.filter(([, schema]) => !holdsKeys(schema));
  const holders = entries.filter(([, schema]) => holdsKeys(schema));
  const top = rows.of({ properties: Object.fromEntries(values), required });
  return [table(top), ...holders.flatMap(([key, schema]) => section(rows, key, schema, required.includes(key)))];
}

function section(rows: KeyRows, key: string, schema: Schema, required: boolean): string[] {
  const heading = `### \`${key}\``;
  const options = choices(schema);
  const { description, ...rest } = schema;
  if (options?.length !== SPLIT) {
    const [first, ...others] = rows.of({ properties: { [key]: rest }, required: required ? [key] : [] });
    const keys = first.key === key && others.length > 0 ? others : [first, ...others];
    return [heading, linked(description), table(keys)].filter(Boolean);
  }
  const { head, tag, names, groups } = rows.choice({ path: key, schema: rest, required }, options);
  const shared = groups.filter(({ with: having }) => having.length === names.length);
  const own = groups.filter(({ with: having }) => having.length < names.length);
  return [
    heading,
    linked(description),
    table([head, ...shared.flatMap((group) => group.rows)]),
    ...own.flatMap((group) => [`With \`${tag}: ${group.with[0]}\`:`, table(group.rows)]),
  ].filter(Boolean);
}

/** The keys of a configuration. Those of its `flow` that are the same in the other one are left out. */
function likeARun(rows: KeyRows, schema: Schema, other: Schema): string[] {
  const flowRows = ({ properties = {} }: Schema): Row[] => rows.of(properties.flow as Schema, 'flow');
  const known = new Set(flowRows(other).map((row) => JSON.stringify(row)));
  const properties = Object.fromEntries(Object.entries(schema.properties ?? {}).filter(([key]) => key !== 'flow'));
  const different = flowRows(schema).filter((row) => !known.has(JSON.stringify(row)));
  return [table([...rows.of({ ...schema, properties }), ...different])];
}

function holdsKeys(schema: Schema): boolean {
  const { additionalProperties: named } = schema;
  return Boolean(schema.properties ?? choices(schema) ?? (typeof named === 'object' && holdsKeys(named)));
}

function stackRows(): Row[] {
  const rows = new Map(new KeyRows().of(jsonSchema(environmentSchema)).map((row) => [row.key, row]));
  const ports = Object.values(PORT_SETTINGS).map(({ purpose, variable, port }) => ({
    key: variable,
    type: 'port, or 0 for a free one',
    standard: `\`${port}\``,
    meaning: `Port of ${purpose}.`,
  }));
  const named = Object.entries(STACK_VARIABLES).map(([name, meaning]): Row => {
    const row = rows.get(name)!;
    return { ...row, standard: row.standard === 'required' ? '' : row.standard, meaning: meaning ?? row.meaning };
  });
  const temporal = {
    key: 'TEMPORAL_ADDRESS`, `TEMPORAL_PROFILE',
    type: 'text',
    standard: '',
    meaning: 'An existing Temporal cluster, which is used instead of the dev server.',
  };
  return [...named, temporal, ...ports];
}

function processRows(python: PythonSettings): (Row & { readers: string })[] {
  const { api, agentWorker } = PROCESS_VARIABLES;
  const environment = jsonSchema(environmentSchema);
  const only = (names: readonly string[]): Schema => ({
    ...environment,
    properties: Object.fromEntries(Object.entries(environment.properties!).filter(([name]) => names.includes(name))),
  });
  const processes = Object.entries({ API: only(api), 'agent worker': only(agentWorker), ...untitled(python) });
  const read = processes.flatMap(([reader, schema]) => new KeyRows().of(schema).map((row) => ({ row, reader })));
  return groupBy(read, ({ row }) => row.key).map((same) => ({
    ...same[0].row,
    readers: same.map(({ reader }) => reader).join(', '),
  }));
}

/** Pydantic titles every field with its own name, and says of an optional one that it may be null. */
function untitled(python: PythonSettings): PythonSettings {
  const field = ({ title: _title, anyOf, ...rest }: Schema): Schema => ({
    ...anyOf?.[0],
    ...rest,
  });
  return Object.fromEntries(
    Object.entries(python).map(([process, { properties = {}, ...schema }]) => {
      const fields = Object.entries(properties as Record<string, Schema>).map(([name, value]) => [name, field(value)]);
      return [process, { ...schema, properties: Object.fromEntries(fields) as Schema['properties'] }];
    }),
  );
}

function table(rows: (Row & { readers?: string })[], ...further: 'read by'[]): string {
  const lines = rows.map(({ key, type, standard, meaning, readers }) =>
    [`\`${key}\``, type, standard, ...(readers ? [readers] : []), linked(meaning)].map(cell),
  );
  const head = ['key', 'allowed', 'default', ...further, 'meaning'];
  return [head, head.map(() => '---'), ...lines].map((cells) => `| ${cells.join(' | ')} |`).join('\n');
}

function cell(text: string): string {
  return text
    .replaceAll('|', '\\|')
    .replaceAll('\n', ' ')
    .replaceAll(/`(\/[^`]*)`/g, (span, path: string) =>
      path.startsWith(`${PROJECT_ROOT}/`) ? `\`${relative(PROJECT_ROOT, path)}\`` : span,
    );
}

/** Pages of docs/ that a description names, as links. */
function linked(text = ''): string {
  return text.replaceAll(
    /docs\/([\w-]+\.md)(#[\w-]+)?/g,
    (_, page: string, anchor = '') => `[${page}](${page}${anchor})`,
  );
}
