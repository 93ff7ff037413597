import { Inject, Injectable } from '@nestjs/common';
import type { ArtifactStore } from '../../infra/artifacts/artifact-store.js';
import type { OperatorFile } from '../../infra/config/operator-file.js';
import type { Checked } from '../../infra/config/submitted/config-issues.js';
import type { AgentFlow } from '../../infra/database/entities/index.js';
import { badRequest } from '../common/api-error.js';
import type { KnownPolicy } from '../submissions/known-policies.js';
import { ARTIFACTS, OPERATOR } from '../dependencies.module.js';
import { ReconcilerService } from '../submissions/reconciler.service.js';
import { RemovalsService } from '../submissions/removal/removals.service.js';
import { Submissions, type Place } from '../submissions/submissions.js';
import { Workflows, type WorkflowStart } from '../temporal/workflows.js';
import { AgentFlowsRepository, type FlowDraft } from './agent-flows.repository.js';
import { toAgentFlowDto, toTraceDto, type AgentFlowDto, type AgentFlowTraceDto } from './dto/agent-flow.dto.js';
import type { Question } from './dto/question.dto.js';
import { checkQuestion } from './check-question.js';
import { startOfFlow } from './start-flow.js';
import { storeImages } from './stored-images.js';

@Injectable()
export class AgentFlowsService extends Submissions<AgentFlow, AgentFlowDto, Question> {
  constructor(
    private readonly flows: AgentFlowsRepository,
    workflows: Workflows,
    reconciler: ReconcilerService,
    removals: RemovalsService,
    @Inject(OPERATOR) private readonly operator: OperatorFile,
    @Inject(ARTIFACTS) private readonly artifacts: ArtifactStore,
  ) {
    super(
      {
        noun: 'agent flow',
        workflow: 'agentFlow',
        body: 'a question',
        invalid: 'invalid_question',
        refused: 'The question cannot be accepted',
        prefix: 'flow',
        notFound: 'agent_flow_not_found',
        ended: 'flow_ended',
        revive: (id) => `npx agentflow solve --id ${id} --revive`,
        kept: () => 'Its finished turns stay.',
      },
      flows,
      workflows,
      removals,
    );
    reconciler.add(this);
  }

  /** With everything that was said and done, as far as it has come. */
  async trace(project: string, id: string): Promise<AgentFlowTraceDto> {
    const flow = await this.load(project, id);
    return toTraceDto(flow, await this.flows.turns(id), await this.flows.rollout(id));
  }

  protected override check(body: unknown): Checked<Question> {
    return checkQuestion(body, this.operator);
  }

  protected override async draft(place: Place, asked: Question): Promise<FlowDraft> {
    const policy = await this.resolvePolicy(place.project, asked);
    return {
      row: {
        ...place,
        question: asked.question,
        images: await storeImages(this.artifacts, asked.images),
        dataset: asked.dataset,
        model: asked.model ?? policy?.model ?? Object.keys(this.operator.models)[0],
        config: asked.flow,
        seed: asked.seed ?? null,
        policyName: policy?.name ?? null,
        policySha256: policy?.sha256 ?? null,
        result: null,
        budgets: 1,
        lives: 1,
        turnsAtEnd: null,
        pausedAt: null,
      },
      policies: policy ? [{ param: 'policy', policy }] : [],
      pictures: asked.images,
    };
  }

  protected override startOf(row: AgentFlow): WorkflowStart {
    return startOfFlow(row);
  }

  protected override toDto(row: AgentFlow): AgentFlowDto {
    return toAgentFlowDto(row);
  }

  /** The only place where the name is resolved: the flow keeps the sha256 whatever the name means later (I11). */
  private async resolvePolicy(project: string, { policy: name, model }: Question): Promise<KnownPolicy | undefined> {
    if (name === undefined) return undefined;
    const policy = await this.flows.findPolicy(project, name);
    if (!policy) throw badRequest('unknown_policy', `policy: there is no policy "${name}".`, { param: 'policy' });
    if (model === undefined || model === policy.model) return policy;
    throw badRequest('wrong_model', `policy: ${name} is a policy of ${policy.model}, not of ${model}.`, {
      param: 'policy',
    });
  }
}
