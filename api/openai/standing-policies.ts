import type { DataSource } from 'typeorm';
import type { ArtifactStore } from '../../infra/artifacts/artifact-store.js';
import { standingSteps } from '../submissions/known-policies.js';

/** A policy whose files are there. */
export interface StandingPolicy {
  run: string;
  step: number;
  createdAt: Date;
}

/** The standing policies of a run, newest first, and the step of the best one if any of them was evaluated. */
export interface StandingRun {
  run: string;
  policies: StandingPolicy[];
  best?: StandingPolicy;
}

/** Most runs whose policies are listed; policies of any other are found by name. */
const MOST_RUNS = 100;

const DIRECTORIES = `
  SELECT r.id AS run, newest.uri FROM training_runs r
  CROSS JOIN LATERAL (SELECT uri FROM policies WHERE run_id = r.id ORDER BY step DESC LIMIT 1) newest
  WHERE r.project = $1 AND ($2::text IS NULL OR r.id = $2)
  ORDER BY r.number DESC LIMIT ${MOST_RUNS}`;
const STANDING = 'unnest($1::text[], $2::int[]) AS standing (run, step)';
const COMMITTED = `
  SELECT p.run_id AS run, p.step, p.created_at AS "createdAt" FROM policies p
  JOIN ${STANDING} ON p.run_id = standing.run AND p.step = standing.step
  ORDER BY p.step DESC`;
/** Of equal ones the earlier: it took less training. */
const BEST = `
  SELECT DISTINCT ON (e.run_id) e.run_id AS run, e.step FROM evaluations e
  JOIN ${STANDING} ON e.run_id = standing.run AND e.step = standing.step
  WHERE e.planner = 'policy'
  ORDER BY e.run_id, e.accuracy DESC, e.step`;

/**
 * The runs of a project that have policies, newest first.
 * @param only this run, if it is given
 */
export async function standingRuns(
  dataSource: DataSource,
  artifacts: ArtifactStore,
  project: string,
  only?: string,
): Promise<StandingRun[]> {
  const runs = await dataSource.query<{ run: string; uri: string }[]>(DIRECTORIES, [project, only ?? null]);
  const steps = await Promise.all(runs.map(({ uri }) => standingSteps(artifacts, uri)));
  const pairs = runs.flatMap(({ run }, i) => steps[i].map((step) => ({ run, step })));
  const standing = [pairs.map(({ run }) => run), pairs.map(({ step }) => step)];
  const [policies, best] = await Promise.all([
    dataSource.query<StandingPolicy[]>(COMMITTED, standing),
    dataSource.query<{ run: string; step: number }[]>(BEST, standing),
  ]);
  return runs.map(({ run }) => {
    const own = policies.filter((policy) => policy.run === run);
    const bestStep = best.find((policy) => policy.run === run)?.step;
    return { run, policies: own, best: own.find(({ step }) => step === bestStep) };
  });
}
