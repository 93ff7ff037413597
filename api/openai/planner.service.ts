import { Inject, Injectable } from '@nestjs/common';
import { z } from 'zod';
import type { OperatorFile } from '../../infra/config/operator-file.js';
import { ApiError, badRequest, unavailable } from '../common/api-error.js';
import { OPERATOR, POLICY_SERVER } from '../dependencies.module.js';
import { ModelsService } from './models.service.js';

/** A policy that is not in memory is loaded first, and a request waits behind others. */
const ANSWER_MS = 120_000;

const refusal = z.object({
  error: z.object({ message: z.string(), code: z.string().nullish(), param: z.string().nullish() }),
});

/** Samples a planner by itself: what a training run's rollouts ask, without the flow around it. */
@Injectable()
export class PlannerService {
  constructor(
    private readonly models: ModelsService,
    @Inject(OPERATOR) private readonly operator: OperatorFile,
    @Inject(POLICY_SERVER) private readonly policyServer: string | null,
  ) {}

  /**
   * Passes a chat completion on to the policy server, with the sha256 of the policy that is meant (I11): the server
   * refuses if it has another one.
   * @param model `policy:RUN@n`
   * @returns its answer, with token ids and log-probs
   * @throws ApiError 404, 409, or what the policy server says of the request; 503 if it does not answer
   */
  async sample(project: string, model: string, body: object, signal: AbortSignal): Promise<object> {
    if (this.operator.policy_server.kind !== 'embedded') throw onVllm(model);
    if (this.policyServer === null) throw withoutServer(model);
    const { name, sha256 } = await this.models.resolvePlanner(project, model);
    const url = new URL('/v1/chat/completions', this.policyServer);
    const { status, answer } = await this.post(url, { ...body, model: name, policy_sha256: sha256 }, signal);
    if (status === 200 && (answer as { policy_sha256?: unknown } | undefined)?.policy_sha256 === sha256) {
      return { ...(answer as object), model };
    }
    throw status === 200 ? anotherPolicy(model) : refused(status, answer);
  }

  private async post(url: URL, body: object, gone: AbortSignal): Promise<{ status: number; answer: unknown }> {
    try {
      const response = await fetch(url, {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify(body),
        signal: AbortSignal.any([gone, AbortSignal.timeout(ANSWER_MS)]),
      });
      return { status: response.status, answer: await response.json() };
    } catch (error) {
      const message = 'The policy server does not answer. Nothing is lost. Try again.';
      throw unavailable('policy_server_unavailable', message, { cause: error });
    }
  }
}

/** The policy server has OpenAI's shape of errors and knows what the request is made of. */
function refused(status: number, answer: unknown): ApiError {
  const parsed = refusal.safeParse(answer);
  if (!parsed.success || status >= 500) {
    const said = parsed.success ? parsed.data.error.message : `status ${status}`;
    return unavailable('policy_server_failed', `The policy server failed on the request: ${said}.`);
  }
  const { message, code, param } = parsed.data.error;
  const type = status === 409 ? 'conflict_error' : status === 404 ? 'not_found_error' : 'invalid_request_error';
  const words = `The policy server refuses the request: ${message}`;
  return new ApiError(status, type, code ?? 'refused', words, { param: param ?? undefined });
}

function anotherPolicy(model: string): ApiError {
  const message = `The policy server sampled from another policy than ${model}; its answer is thrown away.`;
  return new ApiError(409, 'conflict_error', 'wrong_policy', message, { param: 'model' });
}

function withoutServer(model: string): ApiError {
  const message =
    `"${model}" cannot be sampled: the API was started without the address of a policy server. ` +
    'Whoever starts it gives it in AGENTFLOW_POLICY_SERVER_URL.';
  return unavailable('no_policy_server', message, { param: 'model' });
}

function onVllm(model: string): ApiError {
  const message = `"${model}" cannot be sampled here: the operator's policy server is vLLM. Ask it at its own address (docs/vllm.md).`;
  return badRequest('unsupported', message, { param: 'model' });
}
