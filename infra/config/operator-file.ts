import { readFileSync } from 'node:fs';
import { isAbsolute } from 'node:path';
import { parse, YAMLParseError } from 'yaml';
import { z } from 'zod';
import { datasetsSection } from './operator/datasets.js';
import { contradictions, languageModelsSection } from './operator/language-models.js';
import { providersSection } from './operator/providers.js';
import { mcpServersSection } from './operator/mcp-servers.js';
import { pythonSection } from './operator/python.js';
import { registeredName } from './operator/registered-name.js';
import { userToolsSection } from './operator/user-tools.js';
import { WEB_TOOL_NEEDS, webToolSections } from './operator/web-tools.js';

/** Where a base model's weights come from (worker/gpu/flow_grpo/base_model.py). */
const modelSource = z.union(
  [
    /** A model that comes with the project. */
    registeredName,
    /** A causal language model in transformers' format, with safetensors weights, on the server. */
    z.strictObject({ directory: z.string().refine(isAbsolute) }),
  ],
  { error: 'must be the name of a model that comes with the project, or { directory: /absolute/path }' },
);

const policyServer = z.discriminatedUnion('kind', [
  /** worker/gpu/flow_grpo/policy_server: it serves every registered model. */
  z.strictObject({ kind: z.literal('embedded') }),
  /** docs/vllm.md. Its address is in the environment. */
  z.strictObject({
    kind: z.literal('vllm'),
    /** Registered name of the model that it serves. */
    model: registeredName,
    /** What `python -m flow_grpo.probe` wrote for the model. */
    reference: z.string().refine(isAbsolute, 'must be an absolute path'),
    /** Adapters that stay loaded: those of every policy that rollouts use at once, or they take turns. */
    adapters: z.int().min(1).max(64).default(4),
  }),
]);

const operatorObject = z.strictObject({
  models: z
    .record(
      registeredName,
      z.strictObject({
        source: modelSource,
        /** Positions of the model's context used here: prompt and response together. */
        context: z.int().min(64),
      }),
    )
    .refine((models) => Object.keys(models).length > 0, 'must register at least one model'),
  tools: z.array(registeredName).min(1),
  datasets: datasetsSection,
  timeouts: z.strictObject({
    /** A gradient step whose worker sends no heartbeat for this long is given to another attempt. */
    train_heartbeat_s: z.number().positive(),
    /** The same for every other activity. */
    call_heartbeat_s: z.number().positive(),
    /** How long a step waits for the trainer that holds its run's state before any other may take it. */
    trainer_sticky_s: z.number().positive(),
    /** How long a call of a rollout may go on failing for infrastructure reasons before the rollout is excluded. */
    patience_s: z.number().positive(),
    /** How long a group of rollouts may take in all before those still open are excluded. */
    group_deadline_s: z.number().positive(),
  }),
  policy_server: policyServer.default({ kind: 'embedded' }),
  providers: providersSection.default({}),
  language_models: languageModelsSection.default({}),
  python: pythonSection,
  mcp_servers: mcpServersSection,
  user_tools: userToolsSection,
  ...webToolSections,
});

const operatorSchema = operatorObject
  .refine(({ models, policy_server: server }) => server.kind === 'embedded' || server.model in models, {
    path: ['policy_server', 'model'],
    message: 'must be the name of a registered model',
  })
  .check(({ value, issues }) => {
    for (const [name, model] of Object.entries(value.language_models)) {
      for (const { key, message } of contradictions(model, value.providers)) {
        issues.push({ code: 'custom', path: ['language_models', name, key], message, input: model[key] });
      }
    }
    for (const [index, tool] of value.tools.entries()) {
      const [server, ...rest] = tool.split('.');
      if (rest.length > 0 && !(server in value.mcp_servers)) {
        const message = `"${tool}" is a tool of an MCP server "${server}", which mcp_servers does not register`;
        issues.push({ code: 'custom', path: ['tools', index], message, input: tool });
      }
      const section = WEB_TOOL_NEEDS[tool];
      if (section === undefined || value[section]) continue;
      const message = `"${tool}" needs the section ${section}`;
      issues.push({ code: 'custom', path: ['tools', index], message, input: tool });
    }
  });

/** What the operator registered: the only names that a submitted configuration may use (I12). */
export type OperatorFile = z.infer<typeof operatorSchema>;

/** The operator's file is missing or wrong. The message names the file and every bad field. */
export class OperatorFileError extends Error {
  override readonly name = 'OperatorFileError';
}

/** @throws OperatorFileError */
export function loadOperatorFile(path: string): OperatorFile {
  const parsed = operatorSchema.safeParse(readYaml(path));
  if (parsed.success) return parsed.data;
  const lines = parsed.error.issues.map((issue) => `  ${issue.path.join('.') || '(top level)'}: ${issue.message}`);
  throw new OperatorFileError(`${path}: fields to correct:\n${lines.join('\n')}`);
}

function readYaml(path: string): unknown {
  try {
    return parse(readFileSync(path, 'utf8'));
  } catch (error) {
    const reason = error instanceof YAMLParseError ? 'is not YAML' : 'cannot be read';
    throw new OperatorFileError(`${path}: ${reason}: ${(error as Error).message}`, { cause: error });
  }
}
