import { canonicalJson } from '../../infra/artifacts/canonical-json.js';
import type { FlowConfig } from '../../contracts/flow-config.js';
import type { RunConfig } from '../../contracts/run-config.js';
import { choiceForUndecided, RULES_VERSIONS } from '../../contracts/scoring.js';
import { JUDGE_PROMPT } from './judge/llm-judge.js';

/** What a run's rewards are made by (I8). The atlas has one rule of its own and never needs a judge. */
export function rewardIdentity({ dataset, flow }: RunConfig): string {
  const { judge, rules = RULES_VERSIONS[0], undecided, reward } = flow.scoring ?? {};
  if (dataset.name === 'atlas') return rules.replace('rules', 'exact-number');
  return `${byRuling({ judge, rules, undecided })}${reward === 'f1' ? ', F1 of texts' : ''}`;
}

function byRuling({ judge, rules, undecided }: Omit<FlowConfig['scoring'], 'reward'>): string {
  switch (choiceForUndecided({ judge, undecided })) {
    case 'judge': {
      const { model, max_tokens } = judge!;
      return `${rules} ${canonicalJson({ model, max_tokens, prompt: JUDGE_PROMPT })}`;
    }
    case 'exclude':
      return `${rules} without undecided answers`;
    case 'wrong':
      return rules;
  }
}
