/**
 * What a deployment can change of a run's identity (I8) under it, by the words that name its parts to a person. All
 * others are in its configuration, or are the base model's: a run never goes on with another.
 */
const CHANGEABLE_PARTS = {
  prompts: ['planner_prompt', 'module_prompts'],
  dataset: ['dataset_texts'],
  tools: ['tool_data'],
  reward: ['reward'],
  trajectories: ['trajectories'],
} as const;

export type ChangeablePart = keyof typeof CHANGEABLE_PARTS;

export const CHANGEABLE_PART_NAMES = Object.keys(CHANGEABLE_PARTS) as ChangeablePart[];

/**
 * Parts of an identity that a fork shares with its parent unless `from.allow` names them. What belongs to each is the
 * trainer's to know (worker/gpu/flow_grpo/trainer/fork.py).
 */
export const FORK_PART_NAMES = ['base-model', 'tokenizer', 'prompts', 'dataset'] as const;

export type ForkPart = (typeof FORK_PART_NAMES)[number];

/** Names of what is in a part of an identity that was agreed on, and is another now. */
export function changedIn(part: ChangeablePart, agreed: Record<string, string>, now: Record<string, string>): string[] {
  const names: readonly string[] = CHANGEABLE_PARTS[part];
  return names.filter((name) => name in agreed && agreed[name] !== now[name]);
}

/** Of an identity what a deployment can change, by the identity's own names. */
export function changeableParts(identity: Record<string, string>): Record<string, string> {
  const names: readonly string[] = Object.values(CHANGEABLE_PARTS).flat();
  return Object.fromEntries(Object.entries(identity).filter(([name]) => names.includes(name)));
}
