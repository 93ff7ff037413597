import type { ChangeablePart } from '../../contracts/identity.js';
import type { TrainingRunProgress } from '../../contracts/messages.js';
import type { LocalApi } from '../../infra/database/api-keys.js';
import { ApiHttp, type EventRoute, type RawBody } from './api-http.js';
import type {
  AgentFlow,
  AgentFlowTrace,
  ApiKey,
  ApiKeyInput,
  AuditLog,
  BenchmarkEvaluation,
  Checkpoint,
  CreatedApiKey,
  CreatedWebhook,
  Dataset,
  DatasetRow,
  DatasetWithCheck,
  Decision,
  Evaluation,
  EvaluationAnswer,
  Export,
  FlowEvent,
  Fork as ForkInput,
  Policy,
  Project,
  ProjectInput,
  QuestionInput,
  Rollout,
  RolloutList,
  RolloutWithTurns,
  Routes,
  RunEvent,
  TrainingRun,
  TrainingRunList,
  TrainingStep,
  UsageReport,
  Webhook,
  WebhookChange,
  WebhookDelivery,
  SignInLink,
  WebhookInput,
} from './api-types.js';
import { followEvents, type FollowedEvent, type FollowOptions } from './follow-events.js';

const LARGEST_PAGE = 100;
/** As long as the API waits for a whole upload. */
const UPLOAD_MS = 3_600_000;
/** A run configuration as it is sent. */
export interface Submission {
  body: string;
  contentType: 'application/json' | 'application/yaml';
  /** With it, a repeated submission gives the same run again. */
  idempotencyKey?: string;
}

/** What can be asked of a run without further words: the routes below a run that take no body. */
type RunVerb = {
  [Route in keyof Routes]: Route extends `POST /v1/training_runs/{id}/${infer Verb}`
    ? Routes[Route]['takes'] extends { body?: never }
      ? Verb
      : never
    : never;
}[keyof Routes];

/** A page of a list. */
interface Page<Item> {
  data: Item[];
  has_more: boolean;
  last_id: string | null;
}

/** The HTTP API, typed. Every method throws ApiRequestError on an error answer, ApiUnreachable on none, NotOurApi on another's. */
export class ApiClient {
  private readonly http: ApiHttp;

  /** @param access address and key */
  constructor(readonly access: LocalApi) {
    this.http = new ApiHttp(access);
  }

  async createRun({ idempotencyKey, ...submission }: Submission): Promise<TrainingRun> {
    const headers = idempotencyKey === undefined ? undefined : { 'Idempotency-Key': idempotencyKey };
    return this.http.send('POST /v1/training_runs', { headers }, raw(submission));
  }

  async listRuns(query: Routes['GET /v1/training_runs']['takes']['query'] = {}): Promise<TrainingRunList> {
    return this.http.call('GET /v1/training_runs', { query });
  }

  async forkRun(id: string, body: ForkInput, idempotencyKey?: string): Promise<TrainingRun> {
    const headers = idempotencyKey === undefined ? undefined : { 'Idempotency-Key': idempotencyKey };
    return this.http.call('POST /v1/training_runs/{id}/fork', { path: { id }, headers, body });
  }

  async getRun(id: string): Promise<TrainingRun> {
    return this.http.call('GET /v1/training_runs/{id}', { path: { id } });
  }

  async pause(id: string, now = false): Promise<TrainingRun> {
    return this.http.call('POST /v1/training_runs/{id}/pause', { path: { id }, body: { now } });
  }

  async resume(id: string, allow: ChangeablePart[] = []): Promise<TrainingRun> {
    return this.http.call('POST /v1/training_runs/{id}/resume', { path: { id }, body: { allow } });
  }

  async act(id: string, verb: RunVerb): Promise<TrainingRun> {
    return this.http.call(`POST /v1/training_runs/{id}/${verb}`, { path: { id } });
  }

  /** Deletes a run that has ended: it is in no list any more, and what belongs to it goes by and by. */
  async deleteRun(id: string): Promise<void> {
    await this.http.call('DELETE /v1/training_runs/{id}', { path: { id } });
  }

  async setLearningRate(id: string, learning_rate: number): Promise<TrainingRun> {
    return this.http.call('POST /v1/training_runs/{id}/learning_rate', { path: { id }, body: { learning_rate } });
  }

  async extend(id: string, steps: number): Promise<TrainingRun> {
    return this.http.call('POST /v1/training_runs/{id}/extend', { path: { id }, body: { steps } });
  }

  async decide(id: string, decision: Decision): Promise<TrainingRun> {
    return this.http.call('POST /v1/training_runs/{id}/decide', { path: { id }, body: decision });
  }

  async progress(id: string): Promise<TrainingRunProgress> {
    return (await this.http.call('GET /v1/training_runs/{id}/progress', { path: { id } })) as TrainingRunProgress;
  }

  /** @param step of which alone; of all without it */
  async listSteps(id: string, step?: number): Promise<TrainingStep[]> {
    return all(Number, (page) =>
      this.http.call('GET /v1/training_runs/{id}/steps', { path: { id }, query: { ...page, step } }),
    );
  }

  async listCheckpoints(id: string): Promise<Checkpoint[]> {
    return all(Number, (query) => this.http.call('GET /v1/training_runs/{id}/checkpoints', { path: { id }, query }));
  }

  async listEvaluations(id: string): Promise<Evaluation[]> {
    return all(String, (query) => this.http.call('GET /v1/training_runs/{id}/evaluations', { path: { id }, query }));
  }

  /** A link that signs a browser in, once: `url` is what to open; it leads to a page of the dashboard, the runs if none is named. */
  async createSignInLink(page?: string): Promise<SignInLink & { url: string }> {
    const link = await this.http.call('POST /v1/sign_in_links', {});
    const url = new URL(link.path, this.access.url);
    if (page !== undefined) url.searchParams.set('to', page);
    return { ...link, url: url.href };
  }

  async usage(query: Routes['GET /v1/usage']['takes']['query'] = {}): Promise<UsageReport> {
    return this.http.call('GET /v1/usage', { query });
  }

  async createEvaluation(submission: Submission): Promise<BenchmarkEvaluation> {
    return this.http.send('POST /v1/evaluations', {}, raw(submission));
  }

  async listBenchmarkEvaluations(): Promise<BenchmarkEvaluation[]> {
    return all(String, (query) => this.http.call('GET /v1/evaluations', { query }));
  }

  async getEvaluation(id: string): Promise<BenchmarkEvaluation> {
    return this.http.call('GET /v1/evaluations/{id}', { path: { id } });
  }

  /** @param grade of those that are wanted; all without it */
  async listAnswers(id: string, grade?: EvaluationAnswer['grade']): Promise<EvaluationAnswer[]> {
    return all(String, (page) =>
      this.http.call('GET /v1/evaluations/{id}/answers', { path: { id }, query: { ...page, ...(grade && { grade }) } }),
    );
  }

  async reviveEvaluation(id: string): Promise<BenchmarkEvaluation> {
    return this.http.call('POST /v1/evaluations/{id}/revive', { path: { id } });
  }

  async resumeEvaluation(id: string): Promise<BenchmarkEvaluation> {
    return this.http.call('POST /v1/evaluations/{id}/resume', { path: { id } });
  }

  /** As deleteRun. */
  async deleteEvaluation(id: string): Promise<void> {
    await this.http.call('DELETE /v1/evaluations/{id}', { path: { id } });
  }

  async listEvents(id: string): Promise<RunEvent[]> {
    return all(Number, (query) => this.http.call('GET /v1/training_runs/{id}/events', { path: { id }, query }));
  }

  async listRollouts(filter: { run_id: string; step?: number; purpose?: 'train' | 'evaluation' }): Promise<Rollout[]> {
    return all(String, (page) => this.http.call('GET /v1/rollouts', { query: { ...filter, ...page } }));
  }

  async pageOfRollouts(query: Routes['GET /v1/rollouts']['takes']['query']): Promise<RolloutList> {
    return this.http.call('GET /v1/rollouts', { query });
  }

  async getRollout(id: string): Promise<RolloutWithTurns> {
    return this.http.call('GET /v1/rollouts/{id}', { path: { id } });
  }

  /** @param collected also those whose files were collected */
  async listPolicies(run_id: string, collected = false): Promise<Policy[]> {
    const which = collected ? {} : { has_files: 'true' as const };
    return all(String, (page) => this.http.call('GET /v1/policies', { query: { run_id, ...which, ...page } }));
  }

  async getPolicy(id: string): Promise<Policy> {
    return this.http.call('GET /v1/policies/{id}', { path: { id } });
  }

  async pinPolicy(id: string): Promise<Policy> {
    return this.http.call('POST /v1/policies/{id}/pin', { path: { id } });
  }

  async unpinPolicy(id: string): Promise<Policy> {
    return this.http.call('POST /v1/policies/{id}/unpin', { path: { id } });
  }

  async exportPolicy(policy: string, merged: boolean, idempotencyKey: string): Promise<Export> {
    const headers = { 'Idempotency-Key': idempotencyKey };
    return this.http.call('POST /v1/policies/{id}/export', { path: { id: policy }, headers, body: { merged } });
  }

  async listExports(filter: { status?: Export['status']; policy?: string } = {}): Promise<Export[]> {
    return all(String, (page) => this.http.call('GET /v1/exports', { query: { ...filter, ...page } }));
  }

  async getExport(id: string): Promise<Export> {
    return this.http.call('GET /v1/exports/{id}', { path: { id } });
  }

  async changeExport(id: string, verb: 'cancel' | 'revive'): Promise<Export> {
    return this.http.call(`POST /v1/exports/{id}/${verb}`, { path: { id } });
  }

  /** As deleteRun. */
  async deleteExport(id: string): Promise<void> {
    await this.http.call('DELETE /v1/exports/{id}', { path: { id } });
  }

  /** A file of an export from a byte on, if it is still the one with this sha256; else the whole. */
  async openFile(
    path: { id: string; name: string },
    { from, sha256 }: { from: number; sha256: string },
    signal: AbortSignal,
  ): Promise<Response> {
    const headers: Record<string, string> = from > 0 ? { Range: `bytes=${from}-`, 'If-Range': `"${sha256}"` } : {};
    return this.http.openFile(path, headers, signal);
  }

  /** A run's events, each once and in order, until the run is finished; survives outages of the API. */
  followEvents(id: string, options: FollowOptions = {}): AsyncGenerator<RunEvent, void> {
    return this.follow('GET /v1/training_runs/{id}/events', id, options);
  }

  async ask(question: QuestionInput): Promise<AgentFlow> {
    return this.http.call('POST /v1/agent_flows', { body: question });
  }

  async getFlow(id: string): Promise<AgentFlowTrace> {
    return this.http.call('GET /v1/agent_flows/{id}', { path: { id } });
  }

  async resumeFlow(id: string): Promise<AgentFlow> {
    return this.http.call('POST /v1/agent_flows/{id}/resume', { path: { id } });
  }

  async reviveFlow(id: string): Promise<AgentFlow> {
    return this.http.call('POST /v1/agent_flows/{id}/revive', { path: { id } });
  }

  async cancelFlow(id: string): Promise<AgentFlow> {
    return this.http.call('POST /v1/agent_flows/{id}/cancel', { path: { id } });
  }

  /** As deleteRun. */
  async deleteFlow(id: string): Promise<void> {
    await this.http.call('DELETE /v1/agent_flows/{id}', { path: { id } });
  }

  /** A flow's events, each once and in order, until the flow has ended; survives outages of the API. */
  followFlow(id: string, options: FollowOptions = {}): AsyncGenerator<FlowEvent, void> {
    return this.follow('GET /v1/agent_flows/{id}/events', id, options);
  }

  async createKey(key: ApiKeyInput): Promise<CreatedApiKey> {
    return this.http.call('POST /v1/keys', { body: key });
  }

  /** @param project another one than that of the own key */
  async listKeys(project?: string): Promise<ApiKey[]> {
    return all(String, (page) => this.http.call('GET /v1/keys', { query: { ...page, project } }));
  }

  async getKey(id: string): Promise<ApiKey> {
    return this.http.call('GET /v1/keys/{id}', { path: { id } });
  }

  async revokeKey(id: string): Promise<ApiKey> {
    return this.http.call('DELETE /v1/keys/{id}', { path: { id } });
  }

  async createProject(project: ProjectInput): Promise<Project> {
    return this.http.call('POST /v1/projects', { body: project });
  }

  async listProjects(): Promise<Project[]> {
    return all(String, (query) => this.http.call('GET /v1/projects', { query }));
  }

  /** Sends a file. It may be large: the answer may come late. */
  async uploadDataset(
    query: Routes['POST /v1/datasets']['takes']['query'],
    file: RawBody,
    idempotencyKey?: string,
  ): Promise<DatasetWithCheck> {
    const headers = idempotencyKey === undefined ? undefined : { 'Idempotency-Key': idempotencyKey };
    return this.http.send('POST /v1/datasets', { query, headers }, { ...file, timeoutMs: UPLOAD_MS });
  }

  async listDatasets(): Promise<Dataset[]> {
    return (await this.http.call('GET /v1/datasets', {})).data;
  }

  async getDataset(id: string): Promise<DatasetWithCheck> {
    return this.http.call('GET /v1/datasets/{id}', { path: { id } });
  }

  /** Its first questions, as far as they are kept. */
  async previewDataset(id: string): Promise<DatasetRow[]> {
    return (await this.http.call('GET /v1/datasets/{id}/rows', { path: { id }, query: { limit: LARGEST_PAGE } })).data;
  }

  async deleteDataset(id: string): Promise<void> {
    await this.http.call('DELETE /v1/datasets/{id}', { path: { id } });
  }

  async createWebhook(webhook: WebhookInput): Promise<CreatedWebhook> {
    return this.http.call('POST /v1/webhooks', { body: webhook });
  }

  async listWebhooks(): Promise<Webhook[]> {
    return all(String, (query) => this.http.call('GET /v1/webhooks', { query }));
  }

  async getWebhook(id: string): Promise<Webhook> {
    return this.http.call('GET /v1/webhooks/{id}', { path: { id } });
  }

  async changeWebhook(id: string, body: WebhookChange): Promise<Webhook> {
    return this.http.call('PATCH /v1/webhooks/{id}', { path: { id }, body });
  }

  async deleteWebhook(id: string): Promise<void> {
    await this.http.call('DELETE /v1/webhooks/{id}', { path: { id } });
  }

  async testWebhook(id: string): Promise<WebhookDelivery> {
    return this.http.call('POST /v1/webhooks/{id}/test', { path: { id } });
  }

  /** @param status of those that are wanted; all without it */
  async listDeliveries(id: string, status?: WebhookDelivery['status']): Promise<WebhookDelivery[]> {
    return all(String, (page) =>
      this.http.call('GET /v1/webhooks/{id}/deliveries', {
        path: { id },
        query: { ...page, ...(status && { status }) },
      }),
    );
  }

  async getDelivery(id: string): Promise<WebhookDelivery> {
    return this.http.call('GET /v1/webhook_deliveries/{id}', { path: { id } });
  }

  async replayDelivery(id: string): Promise<WebhookDelivery> {
    return this.http.call('POST /v1/webhook_deliveries/{id}/replay', { path: { id } });
  }

  async pageOfAuditLog(query: Routes['GET /v1/audit_log']['takes']['query']): Promise<AuditLog> {
    return this.http.call('GET /v1/audit_log', { query });
  }

  private follow<Event extends FollowedEvent>(
    route: EventRoute,
    id: string,
    options: FollowOptions,
  ): AsyncGenerator<Event, void> {
    return followEvents<Event>((after, signal) => this.http.openEvents(route, id, after, signal), options);
  }
}

/**
 * Every item of a list, page by page.
 * @param cursor the id of an item as the list takes it
 */
export async function all<Item, Cursor>(
  cursor: (id: string) => Cursor,
  read: (page: { after?: Cursor; limit: number }) => Promise<Page<Item>>,
): Promise<Item[]> {
  const items: Item[] = [];
  for (let after: Cursor | undefined; ;) {
    const page = await read({ after, limit: LARGEST_PAGE });
    items.push(...page.data);
    if (!page.has_more || page.last_id === null) return items;
    after = cursor(page.last_id);
  }
}

function raw({ body, contentType }: Submission): RawBody {
  return { content: body, contentType };
}
