import { existsSync, readdirSync } from 'node:fs';
import { SOURCES } from '../../infra/datasets/sources.js';
import { readSecret, SecretError, type SecretSource } from '../../infra/config/secrets.js';
import type { OperatorFile } from '../../infra/config/operator-file.js';
import type { DatasetRegistration } from '../../infra/config/operator/datasets.js';
import { modelsOf } from '../../infra/config/submitted/reply-room.js';
import type { FlowConfig } from '../../contracts/flow-config.js';
import type { Stage } from './stages.js';

/** Something that a stage cannot do without on this machine. */
export interface Need {
  what: string;
  /** How to come by it; absent if it is there. */
  mend?: string;
}

/** How long the plan waits for a policy server. */
const ANSWER_MS = 2_000;

/** What the stages need, each once. */
export async function needsOf(
  stages: readonly Stage[],
  operator: OperatorFile,
  env: NodeJS.ProcessEnv,
): Promise<Need[]> {
  const models = new Set(stages.map(({ config }) => config.model));
  const datasets = new Set(stages.flatMap(datasetsOf).flatMap((name) => partsOf(name, operator)));
  return [
    ...[...models].map((name) => modelNeed(name, operator)),
    ...[...datasets].flatMap((name) => datasetNeed(name, operator.datasets[name])),
    ...keysOf(stages, operator).map(([what, key]) => keyNeed(what, key, env)),
    ...(await policyServerNeeds(operator, env)),
  ];
}

function modelNeed(name: string, { models }: OperatorFile): Need {
  const { source } = models[name];
  if (typeof source === 'string') return { what: `model ${name}: comes with the project` };
  const files = existsSync(source.directory) ? readdirSync(source.directory) : [];
  const whole = files.includes('config.json') && files.some((file) => file.endsWith('.safetensors'));
  return {
    what: `model ${name} in ${source.directory}`,
    ...(!whole && { mend: 'put config.json, the tokenizer and the safetensors weights there, or correct `models`' }),
  };
}

function datasetsOf({ kind, config }: Stage): string[] {
  if (kind === 'evaluation') return config.benchmarks.map(({ name }) => name);
  return [config.dataset.name, ...(config.evaluation.dataset ? [config.evaluation.dataset.name] : [])];
}

/** What a mix is made of, and what is left out of training because of overlap. */
function partsOf(name: string, operator: OperatorFile): string[] {
  const entry = operator.datasets[name];
  if ('mix' in entry) return Object.keys(entry.mix).flatMap((part) => partsOf(part, operator));
  return [name, ...(('exclude_overlap_with' in entry && entry.exclude_overlap_with) || [])];
}

function datasetNeed(name: string, entry: DatasetRegistration): Need[] {
  if (!('path' in entry) || entry.path === undefined) return [];
  const published = 'benchmark' in entry ? entry.benchmark : 'training' in entry ? entry.training : undefined;
  const fetched = published !== undefined && published in SOURCES;
  return [
    {
      what: `dataset ${name} in ${entry.path}`,
      ...(!existsSync(entry.path) && {
        mend: fetched
          ? `npx agentflow datasets fetch ${published} --to ${entry.path}`
          : 'put the file there, or correct `datasets`',
      }),
    },
  ];
}

/** Keys by what they open. */
function keysOf(stages: readonly Stage[], operator: OperatorFile): [string, SecretSource][] {
  const flows = stages.map(({ config }): FlowConfig => config.flow);
  const models = flows.flatMap(modelsOf).flatMap(([, module]) => (module.engine === 'llm' ? [module.model] : []));
  const providers = new Set(models.map((name) => operator.language_models[name].provider));
  const keys: [string, SecretSource][] = [...providers].flatMap((name) =>
    secretsIn(`provider ${name}`, operator.providers[name]),
  );
  if (flows.some(({ tools }) => tools.includes('web_search')))
    keys.push(...secretsIn('web_search', operator.web_search));
  return keys;
}

function secretsIn(what: string, section: object | undefined): [string, SecretSource][] {
  const key = (section as { key?: SecretSource | Record<string, SecretSource> } | undefined)?.key;
  if (!key) return [];
  if ('env' in key || 'file' in key) return [[what, key as SecretSource]];
  return Object.values(key).map((part) => [what, part]);
}

function keyNeed(what: string, key: SecretSource, env: NodeJS.ProcessEnv): Need {
  const place = 'env' in key ? `the environment variable ${key.env}` : key.file;
  try {
    readSecret(key, env);
    return { what: `key of ${what} in ${place}` };
  } catch (error) {
    if (!(error instanceof SecretError)) throw error;
    return { what: `key of ${what}`, mend: error.message };
  }
}

async function policyServerNeeds({ policy_server: server }: OperatorFile, env: NodeJS.ProcessEnv): Promise<Need[]> {
  if (server.kind === 'embedded') return [];
  const url = env['AGENTFLOW_POLICY_SERVER_URL'];
  const probe = `cd worker/gpu && .venv/bin/python -m flow_grpo.probe --model ${server.model} > ${server.reference}`;
  return [
    {
      what: `reference of the policy server in ${server.reference}`,
      ...(!existsSync(server.reference) && { mend: probe }),
    },
    {
      what: `policy server (vLLM)${url ? ` at ${url}` : ''}`,
      ...(!(url && (await answers(url))) && {
        mend: url
          ? 'it does not answer: docs/vllm.md says how it is started'
          : 'start vLLM (docs/vllm.md) and set AGENTFLOW_POLICY_SERVER_URL',
      }),
    },
  ];
}

async function answers(url: string): Promise<boolean> {
  try {
    return (await fetch(new URL('/health', url), { signal: AbortSignal.timeout(ANSWER_MS) })).ok;
  } catch {
    return false;
  }
}
