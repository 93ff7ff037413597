import type { DataSource } from 'typeorm';
import { canonicalJson } from '../../infra/artifacts/canonical-json.js';
import { sha256Hex } from '../../infra/artifacts/sha256.js';
import type { RunConfig } from '../../contracts/run-config.js';
import { isRecorded } from '../../contracts/training-parts.js';
import type { Datasets } from '../datasets/registry.js';
import { modulePrompts } from '../modules/module-identity.js';
import { promptIdentity } from '../modules/planner/planner-prompt.js';
import { rewardIdentity } from '../scoring/reward-identity.js';
import { trajectoriesDigest } from '../trajectories/recorded-rows.js';
import type { ToolRegistry } from '../tools/tool-registry.js';

/**
 * The part of a configuration that a checkpoint belongs to (I8). The trainer adds what only it can know of the model
 * and tokenizer: their sha256.
 */
export async function resolveIdentity(
  config: RunConfig,
  tools: ToolRegistry,
  datasets: Datasets,
  dataSource: DataSource,
): Promise<Record<string, string>> {
  const { dataset, training, flow } = config;
  // What was uploaded again is the same: its texts tell it from any other.
  const { upload, ...named } = dataset;
  const offered = tools.select(flow.tools);
  const identity: Record<string, string> = {
    model: config.model,
    weights: canonicalJson(training.weights),
    planner_prompt: promptIdentity(offered, flow.planner.prompt),
    dataset: canonicalJson(named),
    dataset_texts: await datasets.named(dataset.name, upload).fingerprint(dataset),
    reward: rewardIdentity(config),
    seed: String(config.seed),
  };
  const prompts = modulePrompts(flow, offered);
  if (prompts.length > 0) identity.module_prompts = sha256Hex(canonicalJson(prompts));
  const data = offered.flatMap(({ name, identity: of }) => (of === undefined ? [] : [[name, of]]));
  if (data.length > 0) identity.tool_data = canonicalJson(Object.fromEntries(data));
  if (isRecorded(training)) {
    identity.trajectories = await trajectoriesDigest(dataSource, training, config.model);
  }
  return identity;
}
