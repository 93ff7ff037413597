/** vLLM raises lower temperatures to this one; 0 is greedy. */
export const LOWEST_TEMPERATURE = 0.01;

/**
 * Sampling by temperature alone (I7). Each value changes nothing, and is sent because an absent one is filled from the
 * model's own generation_config.json unless the server was told otherwise.
 */
export const NEUTRAL_SAMPLING = {
  top_p: 1,
  top_k: 0,
  min_p: 0,
  repetition_penalty: 1,
  presence_penalty: 0,
  frequency_penalty: 0,
} as const;

/** The rest of a request's form: one answer, whole, with the ids and log-probs of its tokens. */
export const ANSWER_FORM = {
  n: 1,
  stream: false,
  stop: [],
  stop_token_ids: [],
  ignore_eos: false,
  min_tokens: 0,
  add_generation_prompt: true,
  skip_special_tokens: true,
  include_stop_str_in_output: false,
  logprobs: true,
  return_token_ids: true,
  /** Makes each log-prob name its token by id, so that ids and log-probs can be compared one by one. */
  return_tokens_as_token_ids: true,
} as const;

/** A JSON number holds 53 bits exactly, and vLLM takes signed 64: the low 53 of the recorded seed. */
export function vllmSeed(seed: string): number {
  return Number(BigInt.asUintN(53, BigInt(seed)));
}

/** The id in `token_id:123`; undefined for anything else. */
export function namedTokenId(token: string): number | undefined {
  const match = /^token_id:(\d+)$/.exec(token);
  return match ? Number(match[1]) : undefined;
}
