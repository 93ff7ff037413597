import { Inject, Injectable } from '@nestjs/common';
import { DataSource } from 'typeorm';
import { policyName } from '../../contracts/names.js';
import type { ArtifactStore } from '../../infra/artifacts/artifact-store.js';
import { Policy, PolicyPin, TrainingRun } from '../../infra/database/entities/index.js';
import { isOfRemoved } from '../../infra/database/removed.js';
import { conflict, unknownCursor } from '../common/api-error.js';
import { toList, type List } from '../common/list.dto.js';
import { ARTIFACTS } from '../dependencies.module.js';
import { isStanding, standingSteps, unknownPolicy } from '../submissions/known-policies.js';
import { TrainingRunsService } from '../training-runs/training-runs.service.js';
import type { PoliciesQuery, PolicyDto } from './policy.dto.js';

type PolicyRow = Omit<PolicyDto, 'has_files' | 'pinned_at' | 'created_at'> & {
  pinned_at: Date | null;
  created_at: Date;
};

/** The policies of run $1 after step $2 that are among the steps $3, if those are given, and not among $4. */
const POLICIES = `
  SELECT p.run_id || '@' || p.step AS id, 'policy' AS object, p.run_id, p.step, p.sha256, p.parent_sha256,
    pin.created_at AS pinned_at,
    EXISTS (
      SELECT FROM checkpoints c WHERE c.run_id = p.run_id AND c.step = p.step AND c.removed_at IS NULL
    ) AS has_checkpoint,
    (
      SELECT jsonb_build_object('accuracy', accuracy, 'interval', jsonb_build_array(interval_low, interval_high),
        'questions', questions, 'correct', correct)
      FROM evaluations e WHERE e.run_id = p.run_id AND e.step = p.step AND e.planner = 'policy'
      ORDER BY e.created_at DESC, e.id DESC LIMIT 1
    ) AS evaluation,
    p.created_at
  FROM policies p LEFT JOIN policy_pins pin ON pin.run_id = p.run_id AND pin.step = p.step
  WHERE p.run_id = $1 AND p.step > $2 AND ($3::int[] IS NULL OR p.step = ANY($3)) AND p.step <> ALL($4)
  ORDER BY p.step
  LIMIT $5`;

@Injectable()
export class PoliciesService {
  constructor(
    private readonly dataSource: DataSource,
    @Inject(ARTIFACTS) private readonly artifacts: ArtifactStore,
    private readonly runs: TrainingRunsService,
  ) {}

  /** Of one run, by step. */
  async list(project: string, { run_id: run, has_files, after, limit }: PoliciesQuery): Promise<List<PolicyDto>> {
    await this.runs.requireKnown(project, run);
    const last = after === undefined ? undefined : await this.find(project, after);
    if (last === null || (last && last.runId !== run)) throw unknownCursor(`${run} has no policy "${after}".`);
    const standing = await this.standingOf(run);
    const among = has_files === 'true' ? standing : null;
    const except = has_files === 'false' ? standing : [];
    const rows = await this.read([run, last?.step ?? -1, among, except, limit + 1]);
    return toList(
      rows,
      limit,
      ({ id }) => id,
      (row) => toPolicyDto(row, standing),
    );
  }

  /** @throws ApiError 404, also if it is of another project's run */
  async get(project: string, id: string): Promise<PolicyDto> {
    const { runId, step } = await this.load(project, id);
    const [row] = await this.read([runId, step - 1, [step], [], 1]);
    if (!row) throw unknownPolicy(id);
    return toPolicyDto(row, await this.standingOf(runId));
  }

  /**
   * Keeps its files. The row is written before it is known that they are there: a collection that would take them
   * meanwhile waits for the commit, and finds the row (flow_grpo/trainer/collection.py).
   * @throws ApiError 409 if they are gone
   */
  async pin(project: string, id: string): Promise<PolicyDto> {
    const policy = await this.load(project, id);
    const { runId, step } = policy;
    try {
      await this.dataSource.transaction(async (manager) => {
        await manager.createQueryBuilder().insert().into(PolicyPin).values({ runId, step }).orIgnore().execute();
        if (!(await isStanding(this.artifacts, policy))) throw collected(policy);
      });
    } catch (error) {
      throw isOfRemoved(error) ? unknownPolicy(id) : error;
    }
    return this.get(project, id);
  }

  async unpin(project: string, id: string): Promise<PolicyDto> {
    const { runId, step } = await this.load(project, id);
    await this.dataSource.getRepository(PolicyPin).delete({ runId, step });
    return this.get(project, id);
  }

  private async load(project: string, id: string): Promise<Policy> {
    const policy = await this.find(project, id);
    if (!policy) throw unknownPolicy(id);
    return policy;
  }

  private async find(project: string, id: string): Promise<Policy | null> {
    if (!policyName.safeParse(id).success) return null;
    const [runId, step] = id.split('@');
    const run = await this.dataSource.manager.findOneBy(TrainingRun, { project, id: runId });
    return run && this.dataSource.manager.findOneBy(Policy, { runId, step: Number(step) });
  }

  private async read(parameters: [string, number, number[] | null, number[], number]): Promise<PolicyRow[]> {
    return this.dataSource.query<PolicyRow[]>(POLICIES, parameters);
  }

  /** The steps of a run's policies whose files are there. */
  private async standingOf(runId: string): Promise<number[]> {
    const policy = await this.dataSource.getRepository(Policy).findOneBy({ runId });
    return policy ? standingSteps(this.artifacts, policy.uri) : [];
  }
}

function toPolicyDto({ pinned_at, created_at, ...row }: PolicyRow, standing: readonly number[]): PolicyDto {
  return {
    ...row,
    has_files: standing.includes(row.step),
    pinned_at: pinned_at?.toISOString() ?? null,
    created_at: created_at.toISOString(),
  };
}

function collected({ runId, step }: Policy): Error {
  const message =
    `${runId}@${step} cannot be pinned: its files were collected, since nothing needed them. ` +
    `GET /v1/policies?run_id=${runId}&has_files=true lists those that can be.`;
  return conflict('policy_collected', message, { param: 'id' });
}
