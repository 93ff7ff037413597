/** What one rollout's planner was asked and sampled, turn by turn. */
export interface SampledTurn {
  turn: number;
  promptTokenIds: readonly number[];
  responseTokenIds: readonly number[];
}

/**
 * Where the rollouts of a group part: at a token that not all sampled alike, at a turn before which not all were told
 * the same, or at one that some no longer took. `token` counts from 0.
 */
export type Parting =
  { by: 'token'; turn: number; token: number } | { by: 'prompt'; turn: number } | { by: 'end'; turn: number };

/** @returns undefined if all went alike to their ends */
export function partingOf(rollouts: readonly (readonly SampledTurn[])[]): Parting | undefined {
  for (let index = 0; ; index++) {
    const turns = rollouts.flatMap((rollout) => rollout.slice(index, index + 1));
    if (turns.length === 0) return undefined;
    const [{ turn }] = turns;
    if (turns.length < rollouts.length) return { by: 'end', turn };
    const prompts = turns.map(({ promptTokenIds }) => promptTokenIds);
    if (!areAlike(prompts)) return { by: 'prompt', turn };
    const responses = turns.map(({ responseTokenIds }) => responseTokenIds);
    if (!areAlike(responses)) return { by: 'token', turn, token: sharedLength(responses) };
  }
}

/** How the texts all begin, whole characters alone: half of a surrogate pair would be none. */
export function sharedStart(texts: readonly string[]): string {
  const characters = texts.map((text) => Array.from(text));
  return (characters[0] ?? []).slice(0, sharedLength(characters)).join('');
}

function areAlike(sequences: readonly (readonly unknown[])[]): boolean {
  const shared = sharedLength(sequences);
  return sequences.every(({ length }) => length === shared);
}

function sharedLength(sequences: readonly (readonly unknown[])[]): number {
  const [first = [], ...others] = sequences;
  const end = first.findIndex((item, index) => others.some((other) => index >= other.length || other[index] !== item));
  return end === -1 ? first.length : end;
}
