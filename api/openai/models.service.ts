import { Inject, Injectable } from '@nestjs/common';
import { DataSource } from 'typeorm';
import type { ArtifactStore } from '../../infra/artifacts/artifact-store.js';
import type { OperatorFile } from '../../infra/config/operator-file.js';
import { TrainingRun } from '../../infra/database/entities/index.js';
import { badRequest, notFound, type ApiError } from '../common/api-error.js';
import { ARTIFACTS, OPERATOR } from '../dependencies.module.js';
import { findPolicy, requireStanding, type KnownPolicy } from '../submissions/known-policies.js';
import { toModelDto, type ModelDto } from './dto/model.dto.js';
import { standingRuns, type StandingRun } from './standing-policies.js';

/** What a name of the list of models stands for: a policy, or what the operator registered. */
export type NamedModel =
  { kind: 'policy'; name: string; run: TrainingRun } | { kind: 'base' | 'language-model'; name: string };

/** What a name that begins so is: the planner itself, and not a flow. */
export const PLANNER = 'policy:';

@Injectable()
export class ModelsService {
  constructor(
    private readonly dataSource: DataSource,
    @Inject(ARTIFACTS) private readonly artifacts: ArtifactStore,
    @Inject(OPERATOR) private readonly operator: OperatorFile,
  ) {}

  async list(project: string): Promise<ModelDto[]> {
    const runs = await standingRuns(this.dataSource, this.artifacts, project);
    const registered = [...new Set([...Object.keys(this.operator.models), ...this.languageModels()])];
    return [
      ...runs.flatMap((run) => modelsOf(run, project)),
      ...registered.map((name) => toModelDto(name, 'operator')),
    ];
  }

  /** @throws ApiError 404 */
  async get(project: string, id: string): Promise<ModelDto> {
    const name = id.startsWith(PLANNER) ? id.slice(PLANNER.length) : id;
    if (name === id && this.registered(name)) return toModelDto(id, 'operator');
    const [run] = await standingRuns(this.dataSource, this.artifacts, project, splitName(name)?.run ?? '');
    const model = run && modelsOf(run, project).find((one) => one.id === name);
    if (!model) throw unknownModel(id);
    return { ...model, id };
  }

  /**
   * What a name stands for now: an alias becomes the policy that it names.
   * @throws ApiError 404; 400 for a planner by itself
   */
  async resolve(project: string, id: string): Promise<NamedModel> {
    if (id.startsWith(PLANNER)) throw plannerAlone(id);
    const registered = this.registered(id);
    if (registered) return { kind: registered, name: id };
    const { name, run } = await this.named(project, id);
    return { kind: 'policy', name, run };
  }

  /**
   * The policy that plans under `policy:RUN@n`.
   * @throws ApiError 404, also if it was collected
   */
  async resolvePlanner(project: string, id: string): Promise<KnownPolicy> {
    const { name } = await this.named(project, id.slice(PLANNER.length), id);
    const policy = await findPolicy(this.dataSource.manager, project, name);
    if (!policy) throw unknownModel(id);
    await requireStanding(this.artifacts, 'model', policy);
    return policy;
  }

  private async named(project: string, name: string, id = name): Promise<{ name: string; run: TrainingRun }> {
    const split = splitName(name);
    const run = split && (await this.dataSource.manager.findOneBy(TrainingRun, { project, id: split.run }));
    if (!run) throw unknownModel(id);
    if (/^\d/.test(split.which)) {
      if (!(await findPolicy(this.dataSource.manager, project, name))) throw unknownModel(id);
      return { name, run };
    }
    const [standing] = await standingRuns(this.dataSource, this.artifacts, project, run.id);
    const policy = split.which === 'latest' ? standing?.policies.at(0) : standing?.best;
    if (!policy) throw withoutPolicy(id, split);
    return { name: `${policy.run}@${policy.step}`, run };
  }

  private registered(name: string): 'base' | 'language-model' | undefined {
    if (Object.hasOwn(this.operator.models, name)) return 'base';
    return this.languageModels().includes(name) ? 'language-model' : undefined;
  }

  private languageModels(): string[] {
    return Object.keys(this.operator.language_models);
  }
}

function modelsOf({ run, policies, best }: StandingRun, project: string): ModelDto[] {
  const [latest] = policies;
  return [
    ...policies.map(({ step, createdAt }) => toModelDto(`${run}@${step}`, project, createdAt)),
    ...(latest ? [toModelDto(`${run}@latest`, project, latest.createdAt)] : []),
    ...(best ? [toModelDto(`${run}@best`, project, best.createdAt)] : []),
  ];
}

/** The longest policy's name is `<128 letters>@<9 digits>`. */
function splitName(name: string): { run: string; which: string } | undefined {
  const [, run, which] = /^([A-Za-z0-9][A-Za-z0-9._-]{0,127})@(latest|best|0|[1-9]\d{0,8})$/.exec(name) ?? [];
  return run === undefined ? undefined : { run, which };
}

function plannerAlone(id: string): ApiError {
  const message = `"${id}" is a planner without its flow: only POST /openai/v1/chat/completions samples it.`;
  return badRequest('unsupported', message, { param: 'model' });
}

function unknownModel(id: string): ApiError {
  const message = `There is no model "${id}". GET /openai/v1/models lists them: RUN@n, RUN@latest, RUN@best, and names that the operator registered.`;
  return notFound('model_not_found', message, { param: 'model' });
}

function withoutPolicy(id: string, { run, which }: { run: string; which: string }): ApiError {
  const reason =
    which === 'latest'
      ? `${run} has no policy yet`
      : `no policy of ${run} that stands has been evaluated; ${run}@latest is its newest one`;
  return notFound('model_not_found', `There is no model "${id}": ${reason}.`, { param: 'model' });
}
