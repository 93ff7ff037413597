import { Inject, Injectable, Logger } from '@nestjs/common';
import { WorkflowNotFoundError } from '@temporalio/client';
import type { ArtifactStore } from '../../infra/artifacts/artifact-store.js';
import type { OperatorFile } from '../../infra/config/operator-file.js';
import type { AgentFlow } from '../../infra/database/entities/index.js';
import { hasEnded } from '../../infra/database/flow-status.js';
import { badRequest, conflict, notFound } from '../common/api-error.js';
import { readIdempotency } from '../common/idempotency.js';
import type { KnownPolicy } from '../common/known-policies.js';
import { toList, type IdPageQuery, type List } from '../common/list.dto.js';
import { newId } from '../common/new-id.js';
import { ARTIFACTS, OPERATOR } from '../dependencies.module.js';
import { FlowWorkflows } from '../temporal/flow-workflows.js';
import { AgentFlowsRepository, type NewAgentFlow } from './agent-flows.repository.js';
import { toAgentFlowDto, toTraceDto, type AgentFlowDto, type AgentFlowTraceDto } from './dto/agent-flow.dto.js';
import type { Question } from './dto/question.dto.js';
import { parseQuestion } from './parse-question.js';
import { storeImages } from './store-images.js';

/** Who asks does not wait longer for Temporal: the flow is recorded, and the reconciler starts it. */
const START_DEADLINE_MS = 3_000;

@Injectable()
export class AgentFlowsService {
  private readonly logger = new Logger(AgentFlowsService.name);

  constructor(
    private readonly repository: AgentFlowsRepository,
    private readonly workflows: FlowWorkflows,
    @Inject(OPERATOR) private readonly operator: OperatorFile,
    @Inject(ARTIFACTS) private readonly artifacts: ArtifactStore,
  ) {}

  /**
   * Records a flow as queued and starts its workflow. Where Temporal does not answer, the flow stays queued and the
   * reconciler starts it later.
   * @param body a question as it was submitted
   * @returns the flow, and whether this call created it
   */
  async create(
    project: string,
    body: unknown,
    idempotencyKey?: string,
  ): Promise<{ flow: AgentFlowDto; created: boolean }> {
    const idempotency = readIdempotency(idempotencyKey, body);
    const question = parseQuestion(body, this.operator);
    const policy = await this.resolvePolicy(project, question);
    const flow = await this.newFlow(project, question, policy);
    const earlier = await this.repository.create(flow, policy ? [policy] : [], idempotency);
    const stored = await this.load(project, earlier ?? flow.id);
    if (earlier === undefined) await this.tryStart(stored);
    return { flow: toAgentFlowDto(stored), created: earlier === undefined };
  }

  /** With everything that was said and done, as far as it has come. */
  async trace(project: string, id: string): Promise<AgentFlowTraceDto> {
    const flow = await this.load(project, id);
    return toTraceDto(flow, await this.repository.turns(id), await this.repository.rollout(id));
  }

  async list(project: string, page: IdPageQuery): Promise<List<AgentFlowDto>> {
    return toList(await this.repository.list(project, page), page.limit, ({ id }) => id, toAgentFlowDto);
  }

  /** A paused flow goes on, with its budget granted once more; one that runs is left as it is. */
  async resume(project: string, id: string): Promise<AgentFlowDto> {
    return this.act(project, id, 'resumed', () => this.workflows.resume(id));
  }

  async cancel(project: string, id: string): Promise<AgentFlowDto> {
    return this.act(project, id, 'cancelled', () => this.workflows.cancel(id));
  }

  /** @throws ApiError 404 also where the flow is another project's */
  async load(project: string, id: string): Promise<AgentFlow> {
    const flow = await this.repository.find(project, id);
    if (!flow) throw notFound('agent_flow_not_found', `There is no agent flow "${id}".`, { param: 'id' });
    return flow;
  }

  /** The workflow acts and writes the status; the API writes none. */
  private async act(project: string, id: string, done: string, verb: () => Promise<void>): Promise<AgentFlowDto> {
    const flow = await this.load(project, id);
    if (hasEnded(flow.status)) throw alreadyEnded(flow, done);
    if (flow.status === 'queued') await this.workflows.start(flow);
    try {
      await verb();
    } catch (error) {
      if (error instanceof WorkflowNotFoundError) throw alreadyEnded(await this.load(project, id), done);
      throw error;
    }
    return toAgentFlowDto(await this.load(project, id));
  }

  private async newFlow(project: string, asked: Question, policy?: KnownPolicy): Promise<NewAgentFlow> {
    return {
      id: newId('flow'),
      project,
      question: asked.question,
      images: await storeImages(this.artifacts, asked.images),
      dataset: asked.dataset,
      model: asked.model ?? policy?.model ?? Object.keys(this.operator.models)[0],
      config: asked.flow,
      seed: asked.seed ?? null,
      policyName: policy?.name ?? null,
      policySha256: policy?.sha256 ?? null,
    };
  }

  /** Here and nowhere else: the flow keeps the sha256 whatever the name comes to mean (I11). */
  private async resolvePolicy(project: string, { policy: name, model }: Question): Promise<KnownPolicy | undefined> {
    if (name === undefined) return undefined;
    const policy = await this.repository.findPolicy(project, name);
    if (!policy) throw badRequest('unknown_policy', `policy: there is no policy "${name}".`, { param: 'policy' });
    if (model === undefined || model === policy.model) return policy;
    throw badRequest('wrong_model', `policy: ${name} is a policy of ${policy.model}, not of ${model}.`, {
      param: 'policy',
    });
  }

  private async tryStart(flow: AgentFlow): Promise<void> {
    try {
      await this.workflows.start(flow, START_DEADLINE_MS);
    } catch (error) {
      this.logger.warn(`${flow.id} stays queued until Temporal answers: ${(error as Error).message}`);
    }
  }
}

function alreadyEnded({ id, status }: AgentFlow, done: string): Error {
  const state = hasEnded(status) ? status : `${status}, but its workflow has ended`;
  return conflict('flow_ended', `${id} is ${state}; it cannot be ${done}.`, { param: 'id' });
}
