import type { LocalApi } from '../../infra/database/api-keys.js';
import { CliError } from '../cli-error.js';
import { ApiRequestError, ApiUnreachable, NotOurApi } from './api-errors.js';
import type { Error as ApiErrorBody, Routes } from './api-types.js';

const TIMEOUT_MS = 30_000;
const EVENT_STREAM = 'text/event-stream';
const BYTES = 'application/octet-stream';
const EXPORTED_FILE = 'GET /v1/exports/{id}/files/{name}';
/** Every answer says by `object` what it is, but for this one, which is a workflow's. */
const WITHOUT_OBJECT: Route = 'GET /v1/training_runs/{id}/progress';

type Route = keyof Routes;
/** The routes of a stream of events. */
export type EventRoute = Extract<Route, `GET ${string}/events`>;
/** What a route takes besides its body. */
type Parameters<R extends Route> = Pick<Routes[R]['takes'], 'path' | 'query'> & {
  headers?: Record<string, string>;
};
type WithBody<R extends Route> = Parameters<R> & Pick<Routes[R]['takes'], 'body'>;
/** What a route answers, if it succeeds and has something to say. */
type Answer<R extends Route> = Exclude<Routes[R]['answers'][keyof Routes[R]['answers']], void>;

/** A body that is sent as it is. */
export interface RawBody {
  /** A file is read while it is sent. */
  content: string | Blob;
  contentType: string;
  /** How long its answer may take; half a minute if absent. */
  timeoutMs?: number;
}

/**
 * Requests to the API, typed by the routes of docs/openapi.json. Every method throws ApiRequestError if the API refuses,
 * ApiUnreachable if nothing answers, and NotOurApi if something else does.
 */
export class ApiHttp {
  constructor(private readonly api: LocalApi) {}

  /** Asks, and reads the answer. */
  async call<R extends Route>(route: R, { body, ...parameters }: WithBody<R>): Promise<Answer<R>> {
    const json = body === undefined ? undefined : { content: JSON.stringify(body), contentType: 'application/json' };
    return this.send(route, parameters, json);
  }

  /** The same with a body that is text already. */
  async send<R extends Route>(route: R, parameters: Parameters<R>, body?: RawBody): Promise<Answer<R>> {
    const signal = AbortSignal.timeout(body?.timeoutMs ?? TIMEOUT_MS);
    const response = await this.open(route, { ...parameters, signal }, body);
    if (response.status === 202 || response.status === 204) return undefined as Answer<R>;
    return (await this.json(response, route)) as Answer<R>;
  }

  /** Opens the stream of events after a sequence. @returns the stream, or status 204 if nothing more will come */
  async openEvents(route: EventRoute, id: string, after: number, signal: AbortSignal): Promise<Response> {
    const headers = { Accept: EVENT_STREAM, 'Last-Event-ID': String(after) };
    const response = await this.open(route, { path: { id }, headers, signal });
    const isStream = response.headers.get('content-type')?.startsWith(EVENT_STREAM) && response.body !== null;
    if (response.status === 204 || isStream) return response;
    throw this.notOurs(route, describe(response));
  }

  /** Opens a file of an export. @returns the answer, unread: 206 with a part if `headers` ask for one, 200 with the whole */
  async openFile(
    path: { id: string; name: string },
    headers: Record<string, string>,
    signal: AbortSignal,
  ): Promise<Response> {
    const response = await this.open(EXPORTED_FILE, { path, headers, signal });
    if (response.headers.get('content-type') === BYTES) return response;
    throw this.notOurs(EXPORTED_FILE, describe(response));
  }

  /** Asks, and leaves the answer unread. */
  private async open<R extends Route>(
    route: R,
    { path, query, headers, signal }: Parameters<R> & { signal: AbortSignal },
    body?: RawBody,
  ): Promise<Response> {
    const [method, template] = route.split(' ');
    const url = new URL(filled(template, path ?? {}), this.api.url);
    for (const [name, value] of Object.entries(query ?? {})) {
      for (const one of [value].flat() as (string | number | boolean | undefined)[]) {
        if (one !== undefined) url.searchParams.append(name, String(one));
      }
    }
    const response = await this.fetch(url, {
      method,
      headers: {
        ...headers,
        ...(body && { 'Content-Type': body.contentType }),
        Authorization: `Bearer ${this.api.key}`,
      },
      body: body?.content,
      redirect: 'manual', // the key is for the API, not for where another program sends us
      signal,
    });
    if (response.ok) return response;
    throw await this.refusal(response, route);
  }

  private notOurs(route: Route, answer: string): NotOurApi {
    return new NotOurApi(this.api.url, `It answered ${route} with ${answer}`);
  }

  private async fetch(url: URL, init: RequestInit): Promise<Response> {
    try {
      return await fetch(url, init);
    } catch (error) {
      const { code } = ((error as Error).cause ?? {}) as { code?: unknown };
      if (String(code).startsWith('HPE_')) throw new NotOurApi(this.api.url, 'What it says is no HTTP');
      throw new ApiUnreachable(this.api.url, error);
    }
  }

  private async json(response: Response, route: Route): Promise<object> {
    const text = await this.text(response);
    const value = parsed(text);
    if (isObject(value) && ('object' in value || route === WITHOUT_OBJECT)) return value;
    throw this.notOurs(route, describe(response));
  }

  private async text(response: Response): Promise<string> {
    try {
      return await response.text();
    } catch (error) {
      throw new ApiUnreachable(this.api.url, error); // cut off, or too slow
    }
  }

  private async refusal(response: Response, route: Route): Promise<CliError> {
    const body = parsed(await this.text(response));
    if (isErrorBody(body)) return new ApiRequestError(response.status, body.error.message);
    if (response.status < 500) return this.notOurs(route, describe(response));
    return new ApiRequestError(response.status, `The API at ${this.api.url} answered with ${describe(response)}.`);
  }
}

/** `HTTP 404, text/html`. */
function describe({ status, headers }: Response): string {
  const location = headers.get('location');
  const what = location ? `a redirection to ${location}` : (headers.get('content-type') ?? 'without a type');
  return `HTTP ${status}, ${what}`;
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text) as unknown;
  } catch {
    return undefined;
  }
}

function isObject(value: unknown): value is object {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function isErrorBody(value: unknown): value is ApiErrorBody {
  const { error } = (isObject(value) ? value : {}) as { error?: { message?: unknown } | null };
  return typeof error?.message === 'string';
}

/** A path with its parameters. */
function filled(template: string, path: Record<string, string>): string {
  return template.replace(/\{(\w+)\}/g, (_, name: string) => segment(path[name] ?? ''));
}

/** An id as a part of a path. A URL would take these three for other paths. @throws CliError */
function segment(id: string): string {
  if (['', '.', '..'].includes(id)) throw new CliError(`"${id}" is not an id.`);
  return encodeURIComponent(id);
}
