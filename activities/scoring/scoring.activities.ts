import { sha256Hex } from '../../infra/artifacts/sha256.js';
import type { ModuleActivities, Score, ScoreAnswerInput } from '../../workflows/contracts/agent-activities.js';
import { FailureType } from '../../workflows/contracts/failures.js';
import type { JudgeConfig } from '../../workflows/contracts/flow-config.js';
import type { Grading, JudgeVerdict } from '../../workflows/contracts/scoring.js';
import type { TruthSource } from '../datasets/ground-truth.js';
import { nonRetryable } from '../failures/non-retryable.js';
import type { Judge, JudgeRequest } from './judge/judge.js';
import { scoreByRules, wordsOfTruth } from './score-by-rules.js';

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
  const { query, answer, flow } = input;
  const { truth, heldOut } = await truthOf(query);
  const { ruling, f1 } = scoreByRules(answer, truth);
  const gold = wordsOfTruth(truth);
  const verdict =
    input.judge && answer.trim() !== '' && (ruling === 'undecided' || isChecked(flow.flowId, input.judge.check))
      ? await judged(
          { flow, budget: input.budget, question: query.question, answer, gold, heldOut },
          input.judge,
          judge,
        )
      : undefined;
  const grading: Grading = {
    rules: ruling,
    rule: truth.kind,
    ...(f1 !== undefined && { f1 }),
    ...(verdict && { judge: verdict }),
  };
  return { ...inWords(answer, grading, heldOut ? undefined : gold[0]), grading };
}

/** The rules decide; where they cannot, the judge; where there is none, the answer counts as wrong. */
function inWords(answer: string, { rules, judge }: Grading, shown: string | undefined): Omit<Score, 'grading'> {
  const said = answer.slice(0, 100) || 'no answer';
  const isRight = rules === 'undecided' ? judge?.equivalent === true : rules === 'right';
  if (isRight) return { reward: 1, reason: `${said} is right` };
  const by = rules !== 'undecided' ? '' : judge ? ' by the judge' : ' (no rule can tell, and there is no judge)';
  return { reward: 0, reason: `${said} is wrong${by}${shown === undefined ? '' : `: it is ${shown}`}` };
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
