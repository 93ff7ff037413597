import { sha256Hex } from '../../infra/artifacts/sha256.js';
import type { ModuleActivities, Score, ScoreAnswerInput } from '../../contracts/agent-activities.js';
import { FailureType } from '../../contracts/failures.js';
import type { JudgeConfig } from '../../contracts/flow-config.js';
import {
  choiceForUndecided,
  isUndecided,
  RULES_VERSIONS,
  type Grading,
  type JudgeVerdict,
  type RulesVersion,
  type UndecidedChoice,
} from '../../contracts/scoring.js';
import type { TruthSource } from '../datasets/ground-truth.js';
import { nonRetryable } from '../failures/non-retryable.js';
import type { Judge, JudgeRequest } from './judge/judge.js';
import { scoreByRules1 } from './rules-1/score-by-rules.js';
import { scoreByRules2 } from './rules-2/score-by-rules.js';
import { scoreByRules, wordsOfTruth } from './score-by-rules.js';
import { isStrictlyRight } from './strict-rule.js';
import { rewardByF1 } from './token-f1.js';

const RULES = {
  'rules-1': scoreByRules1,
  'rules-2': scoreByRules2,
  'rules-3': scoreByRules,
} satisfies Record<RulesVersion, unknown>;

export interface ScoringDependencies {
  truthOf: TruthSource;
  /** Absent where the operator registered no language model. */
  judge?: Judge;
}

/** The only place where ground truth is looked up. */
export function createScoringActivities(dependencies: ScoringDependencies): Pick<ModuleActivities, 'scoreAnswer'> {
  return { scoreAnswer: (input) => scoreAnswer(input, dependencies) };
}

async function scoreAnswer(input: ScoreAnswerInput, { truthOf, judge }: ScoringDependencies): Promise<Score> {
  const { query, answer, flow, rules = RULES_VERSIONS[0] } = input;
  const { truth, heldOut } = await truthOf(query);
  const { ruling, f1 } = RULES[rules](answer, truth);
  const gold = wordsOfTruth(truth);
  const choice = choiceForUndecided(input);
  const isByF1 = ruling === 'undecided' && input.reward === 'f1' && flow.purpose === 'train';
  const rewardF1 = isByF1 ? rewardByF1(answer, truth, rules) : undefined;
  const isAsked =
    ruling === 'undecided'
      ? choice === 'judge' && rewardF1 === undefined
      : isChecked(flow.flowId, input.judge?.check ?? 0);
  const verdict =
    input.judge && isAsked && answer.trim() !== ''
      ? await judged(
          { flow, budget: input.budget, question: query.question, answer, gold, heldOut },
          input.judge,
          judge,
        )
      : undefined;
  const grading: Grading = {
    rules: ruling,
    rule: truth.kind,
    ...(ruling === 'right' && !isStrictlyRight(answer, truth) && { lenient: true }),
    ...(f1 !== undefined && { f1 }),
    ...(rewardF1 !== undefined && { rewardF1 }),
    ...(verdict && { judge: verdict }),
  };
  return { ...inWords(answer, grading, choice, heldOut ? undefined : gold[0]), grading };
}

/** The rules decide; if they cannot, F1 or the judge; if neither does, the answer counts as wrong or not at all. */
function inWords(
  answer: string,
  grading: Grading,
  choice: UndecidedChoice,
  shown: string | undefined,
): Omit<Score, 'grading'> {
  const { rules, judge, rewardF1 } = grading;
  const it = shown === undefined ? '' : `: it is ${shown}`;
  const said = answer.slice(0, 100) || 'no answer';
  const isRight = rules === 'undecided' ? judge?.equivalent === true : rules === 'right';
  if (isRight) return { reward: 1, reason: `${said} is right` };
  if (rewardF1 !== undefined) return { reward: rewardF1, reason: `${said} has an F1 of ${rewardF1.toFixed(3)}${it}` };
  const isLeftOut = choice === 'exclude' && isUndecided(grading) && answer.trim() !== '';
  if (isLeftOut) return { reason: `${said} is left out: no rule can tell` };
  const by = rules !== 'undecided' ? '' : judge ? ' by the judge' : ' (no rule can tell, and no judge was asked)';
  return { reward: 0, reason: `${said} is wrong${by}${it}` };
}

async function judged(request: JudgeRequest, config: JudgeConfig, judge: Judge | undefined): Promise<JudgeVerdict> {
  if (!judge) {
    throw nonRetryable(
      FailureType.BadConfiguration,
      `flow.scoring.judge: the operator registered no language model, so "${config.model}" cannot judge.`,
    );
  }
  return { model: config.model, ...(await judge.judge(request, config)) };
}

/** A pure choice by the flow, so that a retried call chooses the same. */
function isChecked(flowId: string, share: number): boolean {
  return Number.parseInt(sha256Hex(`judge check ${flowId}`).slice(0, 8), 16) < share * 0x1_0000_0000;
}
