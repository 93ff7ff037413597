import { canonicalJson } from '../../infra/artifacts/canonical-json.js';
import type { RunConfig } from '../../workflows/contracts/run-config.js';
import { EXACT_NUMBER } from './exact-number.js';
import { JUDGE_PROMPT } from './judge/llm-judge.js';
import { RULES } from './score-by-rules.js';

/** What a run's rewards are made by (I8). The atlas has one rule of its own and never needs a judge. */
export function rewardIdentity({ dataset, flow }: RunConfig): string {
  if (dataset.name === 'atlas') return EXACT_NUMBER;
  const judge = flow.scoring.judge;
  return judge
    ? `${RULES} ${canonicalJson({ model: judge.model, max_tokens: judge.max_tokens, prompt: JUDGE_PROMPT })}`
    : RULES;
}
