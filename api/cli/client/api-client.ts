import type { LocalApi } from '../../../infra/database/api-keys.js';
import type { ChangeablePart } from '../../../workflows/contracts/identity.js';
import type { TrainingRunProgress } from '../../../workflows/contracts/training-run.js';
import type { AgentFlowDto, AgentFlowTraceDto } from '../../agent-flows/dto/agent-flow.dto.js';
import type { FlowEventDto } from '../../agent-flows/dto/flow-event.dto.js';
import type { ApiErrorBody } from '../../common/api-error.js';
import type { BenchmarkEvaluationDto } from '../../benchmark-evaluations/dto/benchmark-evaluation.dto.js';
import type { List } from '../../common/list.dto.js';
import type { EvaluationDto } from '../../evaluations/evaluation.dto.js';
import type { RunEventDto } from '../../events/run-event.dto.js';
import type { RolloutDto } from '../../rollouts/rollout.dto.js';
import type { RolloutWithTurnsDto } from '../../rollouts/turn.dto.js';
import type { CheckpointDto } from '../../training-runs/dto/checkpoint.dto.js';
import type { TrainingRunDto } from '../../training-runs/dto/training-run.dto.js';
import type { TrainingStepDto } from '../../training-runs/dto/training-step.dto.js';
import type { DecideBody } from '../../training-runs/dto/verbs.dto.js';
import { ApiRequestError, ApiUnreachable } from './api-errors.js';
import { followEvents, type FollowOptions } from './follow-events.js';

const TIMEOUT_MS = 30_000;
const LARGEST_PAGE = 100;

/** A run configuration as it is sent. */
export interface Submission {
  body: string;
  contentType: 'application/json' | 'application/yaml';
  /** With it, a repeated submission gives the same run again. */
  idempotencyKey?: string;
}

/** What can be asked of a run without further words. */
export type RunVerb = 'stop' | 'cancel';

type QueryValues = Record<string, string | number | undefined>;

/** The HTTP API, typed. Every method throws ApiRequestError on an error answer and ApiUnreachable on none. */
export class ApiClient {
  constructor(private readonly api: LocalApi) {}

  get url(): string {
    return this.api.url;
  }

  async createRun({ body, contentType, idempotencyKey }: Submission): Promise<TrainingRunDto> {
    const headers = { 'Content-Type': contentType, ...(idempotencyKey && { 'Idempotency-Key': idempotencyKey }) };
    return this.json('/v1/training_runs', { method: 'POST', headers, body });
  }

  async listRuns(page: { after?: string; limit?: number } = {}): Promise<List<TrainingRunDto>> {
    return this.json(`/v1/training_runs${query(page)}`);
  }

  async getRun(id: string): Promise<TrainingRunDto> {
    return this.json(runPath(id));
  }

  async pause(id: string, now = false): Promise<TrainingRunDto> {
    return this.post(`${runPath(id)}/pause`, { now });
  }

  async resume(id: string, allow: ChangeablePart[] = []): Promise<TrainingRunDto> {
    return this.post(`${runPath(id)}/resume`, { allow });
  }

  async act(id: string, verb: RunVerb): Promise<TrainingRunDto> {
    return this.post(`${runPath(id)}/${verb}`, {});
  }

  async setLearningRate(id: string, learningRate: number): Promise<TrainingRunDto> {
    return this.post(`${runPath(id)}/learning_rate`, { learning_rate: learningRate });
  }

  async extend(id: string, steps: number): Promise<TrainingRunDto> {
    return this.post(`${runPath(id)}/extend`, { steps });
  }

  async decide(id: string, decision: DecideBody): Promise<TrainingRunDto> {
    return this.post(`${runPath(id)}/decide`, decision);
  }

  async progress(id: string): Promise<TrainingRunProgress> {
    return this.json(`${runPath(id)}/progress`);
  }

  async listSteps(id: string): Promise<TrainingStepDto[]> {
    return this.all(`${runPath(id)}/steps`);
  }

  async listCheckpoints(id: string): Promise<CheckpointDto[]> {
    return this.all(`${runPath(id)}/checkpoints`);
  }

  async listEvaluations(id: string): Promise<EvaluationDto[]> {
    return this.all(`${runPath(id)}/evaluations`);
  }

  async createEvaluation({ body, contentType }: Submission): Promise<BenchmarkEvaluationDto> {
    return this.json('/v1/evaluations', { method: 'POST', headers: { 'Content-Type': contentType }, body });
  }

  async getEvaluation(id: string): Promise<BenchmarkEvaluationDto> {
    return this.json(`/v1/evaluations/${encodeURIComponent(id)}`);
  }

  async listEvents(id: string): Promise<RunEventDto[]> {
    return this.all(`${runPath(id)}/events`);
  }

  async listRollouts(filter: { run_id: string; step?: number; purpose?: string }): Promise<RolloutDto[]> {
    return this.all('/v1/rollouts', filter);
  }

  async getRollout(flowId: string): Promise<RolloutWithTurnsDto> {
    return this.json(`/v1/rollouts/${encodeURIComponent(flowId)}`);
  }

  /** A run's events, each once and in order, until the run is finished; survives outages of the API. */
  followEvents(id: string, options: FollowOptions = {}): AsyncGenerator<RunEventDto, void> {
    return this.follow(`${runPath(id)}/events`, options);
  }

  async ask(question: Record<string, unknown>): Promise<AgentFlowDto> {
    return this.post('/v1/agent_flows', question);
  }

  async getFlow(id: string): Promise<AgentFlowTraceDto> {
    return this.json(flowPath(id));
  }

  async resumeFlow(id: string): Promise<AgentFlowDto> {
    return this.post(`${flowPath(id)}/resume`, {});
  }

  async cancelFlow(id: string): Promise<AgentFlowDto> {
    return this.post(`${flowPath(id)}/cancel`, {});
  }

  /** A flow's events, each once and in order, until the flow has ended; survives outages of the API. */
  followFlow(id: string, options: FollowOptions = {}): AsyncGenerator<FlowEventDto, void> {
    return this.follow(`${flowPath(id)}/events`, options);
  }

  private follow<Event extends { sequence: number }>(
    path: string,
    options: FollowOptions,
  ): AsyncGenerator<Event, void> {
    const headers = (after: number) => ({ Accept: 'text/event-stream', 'Last-Event-ID': String(after) });
    return followEvents<Event>((after, signal) => this.fetch(path, { headers: headers(after), signal }), options);
  }

  private async all<T>(path: string, filter: QueryValues = {}): Promise<T[]> {
    const items: T[] = [];
    for (let after: string | undefined; ;) {
      const page = await this.json<List<T>>(`${path}${query({ ...filter, after, limit: LARGEST_PAGE })}`);
      items.push(...page.data);
      if (!page.has_more || page.last_id === null) return items;
      after = page.last_id;
    }
  }

  private post<T>(path: string, body: unknown): Promise<T> {
    const headers = { 'Content-Type': 'application/json' };
    return this.json(path, { method: 'POST', headers, body: JSON.stringify(body) });
  }

  private async json<T>(path: string, init: RequestInit = {}): Promise<T> {
    const response = await this.fetch(path, { ...init, signal: AbortSignal.timeout(TIMEOUT_MS) });
    return (await response.json()) as T;
  }

  private async fetch(path: string, init: RequestInit): Promise<Response> {
    const headers = { ...init.headers, Authorization: `Bearer ${this.api.key}` };
    let response: Response;
    try {
      response = await fetch(new URL(path, this.api.url), { ...init, headers });
    } catch (error) {
      throw new ApiUnreachable(this.api.url, error);
    }
    if (response.ok) return response;
    throw new ApiRequestError(response.status, await errorBody(response));
  }
}

async function errorBody(response: Response): Promise<ApiErrorBody | undefined> {
  try {
    const body = (await response.json()) as Partial<ApiErrorBody> | null;
    return typeof body?.error?.message === 'string' ? (body as ApiErrorBody) : undefined;
  } catch {
    return undefined;
  }
}

function runPath(id: string): string {
  return `/v1/training_runs/${encodeURIComponent(id)}`;
}

function flowPath(id: string): string {
  return `/v1/agent_flows/${encodeURIComponent(id)}`;
}

function query(values: QueryValues): string {
  const given = Object.entries(values).flatMap(([name, value]) =>
    value === undefined ? [] : [[name, String(value)] satisfies [string, string]],
  );
  return given.length > 0 ? `?${new URLSearchParams(given).toString()}` : '';
}
