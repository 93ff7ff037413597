/**
 * Parts of a run's identity (I8) that a deployment can change under it, by the words that name them to a person. All
 * others are in its configuration, or are the base model's: a run never goes on with another.
 */
export const CHANGEABLE_PARTS = {
  prompts: 'planner_prompt',
  dataset: 'dataset_texts',
  reward: 'reward',
  trajectories: 'trajectories',
} as const;

export type ChangeablePart = keyof typeof CHANGEABLE_PARTS;

export const CHANGEABLE_PART_NAMES = Object.keys(CHANGEABLE_PARTS) as ChangeablePart[];

/** Of an identity what a deployment can change, by the identity's own names. */
export function changeableParts(identity: Record<string, string>): Record<string, string> {
  const names: readonly string[] = Object.values(CHANGEABLE_PARTS);
  return Object.fromEntries(Object.entries(identity).filter(([name]) => names.includes(name)));
}
