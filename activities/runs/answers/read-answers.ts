import type { DataSource } from 'typeorm';
import { Rollout, TrainingStep } from '../../../infra/database/entities/index.js';
import { SCORED_OUTCOMES, type Outcome } from '../../../contracts/flow.js';
import type { StepAnswers } from '../../../contracts/step-answers.js';
import { figuresOf, type GradedAnswer } from './answer-figures.js';
import { FIRST_STEPS, LAST_STEPS, warningsOf } from './warnings.js';

/** Characters of an answer that are read: its end, where the answer is. A step may have thousands of long ones. */
const READ = 4_000;
const GRADED: readonly Outcome[] = [...SCORED_OUTCOMES, 'undecided'];

/** What the answers of a step were like, with what is to be looked at; undefined if it has none, as in fine-tuning. */
export async function readStepAnswers(
  dataSource: DataSource,
  runId: string,
  step: number,
): Promise<StepAnswers | undefined> {
  const answers = await gradedAnswers(dataSource, runId, step);
  if (answers.length === 0) return undefined;
  const figures = figuresOf(answers);
  const [first, before] = await Promise.all([
    earlierSteps(dataSource, runId, step, 'ASC', FIRST_STEPS),
    earlierSteps(dataSource, runId, step, 'DESC', LAST_STEPS - 1),
  ]);
  const areApart = first.length + before.length === new Set([...first, ...before].map((row) => row.step)).size;
  const last = [...before.reverse().map((row) => row.answers!), figures];
  return { ...figures, warnings: warningsOf(areApart ? first.map((row) => row.answers!) : [], last) };
}

async function gradedAnswers(dataSource: DataSource, runId: string, step: number): Promise<GradedAnswer[]> {
  return dataSource
    .getRepository(Rollout)
    .createQueryBuilder('rollout')
    .select('rollout.flow_id', 'flowId')
    .addSelect('rollout.query_id', 'queryId')
    .addSelect(`right(coalesce(rollout.answer, ''), ${READ})`, 'answer')
    .addSelect(`char_length(coalesce(rollout.answer, ''))`, 'length')
    .addSelect('rollout.reward', 'reward')
    .addSelect('rollout.grading', 'grading')
    .where({ submissionId: runId, step, purpose: 'train' })
    .andWhere('rollout.outcome = ANY(:graded)', { graded: GRADED })
    .orderBy('rollout.group_index')
    .addOrderBy('rollout.rollout_index')
    .getRawMany<GradedAnswer>();
}

/** The first or the last steps before this one that have answers. */
async function earlierSteps(
  dataSource: DataSource,
  runId: string,
  step: number,
  order: 'ASC' | 'DESC',
  limit: number,
): Promise<TrainingStep[]> {
  return dataSource
    .getRepository(TrainingStep)
    .createQueryBuilder('step')
    .where('step.run_id = :runId AND step.step < :step AND step.answers IS NOT NULL', { runId, step })
    .orderBy('step.step', order)
    .limit(limit)
    .getMany();
}
