/**
 * The parts of a run's identity (I8) that a deployment can change under it, by the words that name them to a person.
 * All others are in the run's configuration or belong to the base model: a run never goes on if one of them changed.
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
 * Parts of an identity that a fork shares with its parent unless `from.allow` names them. The trainer knows what
 * belongs to each (worker/gpu/flow_grpo/trainer/fork.py).
 */
export const FORK_PART_NAMES = ['base-model', 'tokenizer', 'prompts', 'dataset'] as const;

export type ForkPart = (typeof FORK_PART_NAMES)[number];

/** The names that belong to this part of the agreed identity and have another value now. */
export function changedIn(part: ChangeablePart, agreed: Record<string, string>, now: Record<string, string>): string[] {
  const names: readonly string[] = CHANGEABLE_PARTS[part];
  return names.filter((name) => name in agreed && agreed[name] !== now[name]);
}

/** What a deployment can change of an identity, by the identity's own names. */
export function changeableParts(identity: Record<string, string>): Record<string, string> {
  const names: readonly string[] = Object.values(CHANGEABLE_PARTS).flat();
  return Object.fromEntries(Object.entries(identity).filter(([name]) => names.includes(name)));
}
