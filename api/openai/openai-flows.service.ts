import { randomUUID } from 'node:crypto';
import { Inject, Injectable } from '@nestjs/common';
import { DataSource, Like, MoreThan } from 'typeorm';
import type { OperatorFile } from '../../infra/config/operator-file.js';
import { IdempotencyKey, type ApiKey } from '../../infra/database/entities/index.js';
import { AgentFlowsService } from '../agent-flows/agent-flows.service.js';
import type { AgentFlowDto } from '../agent-flows/dto/agent-flow.dto.js';
import { OPERATOR } from '../dependencies.module.js';
import { findEarlier, readIdempotency, sha256Of, type Idempotency } from '../submissions/idempotency.js';
import type { AskedQuestion } from './dto/requests.js';
import { ModelsService } from './models.service.js';
import { inRequestTerms, toQuestion } from './to-question.js';

/** Who asks, and what was said about repeating. */
export interface Sender {
  apiKey: ApiKey;
  /** Header `Idempotency-Key`. */
  idempotencyKey: string | undefined;
  /** Header `X-Stainless-Retry-Count`: how often the official client has sent this request before. */
  retries: string | undefined;
}

/** An official client gives up after at most ten minutes, and then repeats within seconds. */
const REPEATED_WITHIN_MS = 15 * 60_000;

@Injectable()
export class OpenAiFlowsService {
  constructor(
    private readonly dataSource: DataSource,
    private readonly flows: AgentFlowsService,
    private readonly models: ModelsService,
    @Inject(OPERATOR) private readonly operator: OperatorFile,
  ) {}

  /**
   * The flow of a request. A request that is sent again joins the flow that it has started, whatever an alias has come to
   * mean since then: the official clients send no Idempotency-Key unless they are told to, but count what they repeat.
   * @throws ApiError 404 for an unknown model, 400, 409
   */
  async ask(sender: Sender, body: unknown, asked: AskedQuestion): Promise<AgentFlowDto> {
    const { project } = sender.apiKey;
    const idempotency = readIdempotency(sender.idempotencyKey, body) ?? unnamed(sender, body);
    const earlier = await this.findEarlier(sender, idempotency);
    if (earlier !== undefined) return this.flows.get(project, earlier);
    const model = await this.models.resolve(project, asked.model);
    try {
      return (await this.flows.submit(project, toQuestion(asked, model, this.operator), idempotency)).dto;
    } catch (error) {
      throw inRequestTerms(error, asked);
    }
  }

  private async findEarlier(sender: Sender, idempotency: Idempotency): Promise<string | undefined> {
    const { project } = sender.apiKey;
    if (sender.idempotencyKey !== undefined) return findEarlier(this.dataSource.manager, project, idempotency);
    if (!/^[1-9]\d*$/.test(sender.retries ?? '')) return undefined;
    const newest = await this.dataSource.getRepository(IdempotencyKey).findOne({
      where: {
        project,
        bodySha256: idempotency.bodySha256,
        key: Like(`${prefixOf(sender)}%`),
        createdAt: MoreThan(new Date(Date.now() - REPEATED_WITHIN_MS)),
      },
      order: { createdAt: 'DESC' },
    });
    return newest?.submissionId;
  }
}

/** What a request without an Idempotency-Key is found again by. */
function unnamed(sender: Sender, body: unknown): Idempotency {
  return { key: `${prefixOf(sender)}${randomUUID()}`, bodySha256: sha256Of(body) };
}

function prefixOf({ apiKey }: Sender): string {
  return `openai:${apiKey.id}:`;
}
