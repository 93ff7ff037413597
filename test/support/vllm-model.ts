/** A made-up language model: its logits are a function of the tokens before and of the name of its weights. */

const VOCABULARY = 64;
export const END_TOKEN = 1;

export interface Sampling {
  temperature: number;
  top_p: number;
  top_k: number;
  min_p: number;
  repetition_penalty: number;
  presence_penalty: number;
  frequency_penalty: number;
}

export interface Sampled {
  id: number;
  /** Of every token, before the temperature and all other processing. */
  raw: number[];
  /** Of every token, as it was sampled. */
  processed: number[];
}

export function tokenize(messages: readonly { role: string; content: string }[]): number[] {
  const text = `${messages.map(({ role, content }) => `${role}:${content}\n`).join('')}assistant:`;
  return [...text].map((character) => 2 + (character.codePointAt(0)! % (VOCABULARY - 2)));
}

export function decode(ids: readonly number[]): string {
  return ids.map((id) => (id === END_TOKEN ? '' : String.fromCodePoint(95 + id))).join('');
}

export function logitsAfter(context: readonly number[], weights: string): number[] {
  const last = `${weights}/${context.length}/${context.slice(-4).join()}`;
  const seen = new Set(context);
  return Array.from({ length: VOCABULARY }, (_, id) => 5 * uniform(`${last}/${id}`) + (seen.has(id) ? 2 : 0));
}

export function logSoftmax(logits: readonly number[]): number[] {
  const top = Math.max(...logits);
  const total = Math.log(logits.reduce((sum, logit) => sum + Math.exp(logit - top), 0)) + top;
  return logits.map((logit) => logit - total);
}

/** One token, in vLLM's order: penalties, temperature, min-p, top-k and top-p. */
export function sampleToken(context: readonly number[], weights: string, sampling: Sampling, seed: string): Sampled {
  const logits = logitsAfter(context, weights);
  const penalised = logits.map((logit, id) => penalise(logit, context.includes(id), sampling));
  const greedy = sampling.temperature === 0;
  const tempered = logSoftmax(greedy ? penalised : penalised.map((logit) => logit / sampling.temperature));
  const processed = greedy ? tempered : logSoftmax(cut(tempered, sampling));
  const scores = processed.map((logprob, id) =>
    greedy ? logprob : logprob + gumbel(`${seed}/${context.length}/${id}`),
  );
  return { id: scores.indexOf(Math.max(...scores)), raw: logSoftmax(logits), processed };
}

function penalise(logit: number, seen: boolean, sampling: Sampling): number {
  if (!seen) return logit;
  const penalty = sampling.repetition_penalty;
  return (logit > 0 ? logit / penalty : logit * penalty) - sampling.presence_penalty - sampling.frequency_penalty;
}

function cut(logprobs: readonly number[], { top_k: topK, top_p: topP, min_p: minP }: Sampling): number[] {
  const order = logprobs.map((_, id) => id).sort((a, b) => logprobs[b] - logprobs[a]);
  const kept = new Set<number>();
  let mass = 0;
  for (const id of topK > 0 ? order.slice(0, topK) : order) {
    if (mass >= topP || Math.exp(logprobs[id]) < minP * Math.exp(logprobs[order[0]])) break;
    kept.add(id);
    mass += Math.exp(logprobs[id]);
  }
  return logprobs.map((logprob, id) => (kept.has(id) ? logprob : -Infinity));
}

function gumbel(key: string): number {
  return -Math.log(-Math.log(uniform(key)));
}

/** FNV-1a with a final mix, as a number between 0 and 1. */
function uniform(key: string): number {
  let hash = 0x811c9dc5;
  for (let index = 0; index < key.length; index += 1) hash = Math.imul(hash ^ key.charCodeAt(index), 0x01000193);
  hash = Math.imul(hash ^ (hash >>> 16), 0x45d9f3b);
  hash = Math.imul(hash ^ (hash >>> 15), 0x2c1b3c6d);
  return ((hash ^ (hash >>> 16)) >>> 0) / 2 ** 32 || 2 ** -33;
}
