import type { Error as ErrorBody, Routes } from '../../../cli/client/api-types.js';

export type Route = keyof Routes;
export type Takes<R extends Route> = Pick<Routes[R]['takes'], 'path' | 'query' | 'body'>;
/** What a route answers if it succeeds. */
export type Answer<R extends Route> = Exclude<Routes[R]['answers'][keyof Routes[R]['answers']], void>;

/** The API has refused, in its own words; or nothing has answered, with status 0. */
export class ApiRefusal extends Error {
  constructor(
    readonly status: number,
    readonly code: string,
    message: string,
  ) {
    super(message);
  }
}

/** Asks the API that serves this page, as whoever the browser is signed in as. @throws ApiRefusal */
export async function call<R extends Route>(route: R, takes: Takes<R>, signal?: AbortSignal): Promise<Answer<R>> {
  const [method, template] = route.split(' ');
  const { path = {}, query = {}, body } = takes as { path?: object; query?: object; body?: unknown };
  return (await request(method, `${filled(template, path)}${search(query)}`, { body, signal })) as Answer<R>;
}

interface Sent {
  body?: unknown;
  bearer?: string;
  signal?: AbortSignal;
}

/** One request, of any path. @throws ApiRefusal */
export async function request(method: string, url: string, { body, bearer, signal }: Sent = {}): Promise<unknown> {
  const headers = {
    Accept: 'application/json',
    ...(body !== undefined && { 'Content-Type': 'application/json' }),
    ...(bearer !== undefined && { Authorization: `Bearer ${bearer}` }),
  };
  const text = body === undefined ? undefined : JSON.stringify(body);
  const response = await answerTo(url, { method, headers, body: text, signal, credentials: 'same-origin' });
  if (response.ok) return response.status === 204 || response.status === 202 ? undefined : response.json();
  throw await refusalOf(response);
}

async function answerTo(url: string, init: RequestInit): Promise<Response> {
  try {
    return await fetch(url, init);
  } catch (error) {
    if (init.signal?.aborted) throw error;
    throw new ApiRefusal(0, 'unreachable', 'The API does not answer. Is the stack running? See "npm run status".');
  }
}

async function refusalOf(response: Response): Promise<ApiRefusal> {
  try {
    const { error } = (await response.json()) as ErrorBody;
    return new ApiRefusal(response.status, error.code, error.message);
  } catch {
    return new ApiRefusal(response.status, 'unreadable', `The API answered with status ${response.status}.`);
  }
}

function filled(template: string, path: object): string {
  return Object.entries(path).reduce<string>(
    (url, [name, value]) => url.replace(`{${name}}`, encodeURIComponent(String(value))),
    template,
  );
}

function search(query: object): string {
  const given = Object.entries(query).filter(([, value]) => value !== undefined && value !== '');
  return given.length === 0 ? '' : `?${new URLSearchParams(given.map(([name, value]) => [name, String(value)]))}`;
}
