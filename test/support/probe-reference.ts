import type { ProbeReference } from '../../activities/engines/vllm/probe.js';
import { logitsAfter, logSoftmax, tokenize } from './vllm-model.js';

/** What `python -m flow_grpo.probe` would write if the made-up model were a registered one. */
export function probeReference(model = 'tiny-random', weights = 'base'): ProbeReference {
  const temperature = 0.5;
  const prompts = ['Name one colour.', 'Pick a number.'].map((content) => {
    const messages = [{ role: 'user' as const, content }];
    const ids = tokenize(messages);
    const logits = logitsAfter(ids, weights);
    const tempered = logSoftmax(logits.map((logit) => logit / temperature));
    const raw = logSoftmax(logits);
    const order = tempered.map((_, id) => id).sort((a, b) => tempered[b] - tempered[a]);
    const tokens = order.slice(0, 20).map((id) => ({ id, logprob: tempered[id], raw_logprob: raw[id] }));
    return { messages, prompt_token_ids: ids, tokens };
  });
  return { format: 1, model, model_sha256: 'b'.repeat(64), temperature, prompts };
}
