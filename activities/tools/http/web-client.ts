import { types } from 'node:util';
import { type Dispatcher, request } from 'undici';
import type { WebAccess } from '../../../infra/config/operator/web-access.js';
import { AddressRules } from '../../../infra/http/addresses.js';
import { checkUrl } from './check-url.js';
import { guardedAgent, type Resolve, systemResolve } from './guarded-agent.js';
import { ACCEPTED_ENCODINGS, readBody } from './read-body.js';
import { retryAfterMs } from '../../http/retry-after.js';
import { SiteUnavailable, WebRefused } from './web-errors.js';
import { isTransient } from '../../http/transient-status.js';
import { TimeLimit } from '../../time-limit.js';

const MAX_REDIRECTS = 5;
const REDIRECTS = new Set([301, 302, 303, 307, 308]);
/** Of the transient statuses the one that a site gives to a page that it will not show later either. */
const CONFLICT = 409;

/** This machine's own name service or network: an outage that says nothing of the address (I2). */
const OWN_NETWORK = new Set(['EAI_AGAIN', 'ENETUNREACH', 'ENETDOWN', 'EMFILE', 'ENFILE']);

export interface WebDocument {
  /** After all redirects. */
  url: URL;
  /** Lower case, without parameters. */
  contentType: string;
  /** As the content type's header names it. */
  charset?: string;
  bytes: Buffer;
}

/** GET for addresses that a language model wrote: no server-side request forgery, bounded in size and time (I10). */
export class WebClient {
  private readonly addresses: AddressRules;

  constructor(
    private readonly access: WebAccess,
    private readonly resolve: Resolve = systemResolve,
  ) {
    this.addresses = new AddressRules(access.addresses);
  }

  /**
   * Every redirect is checked as the first address was.
   * @param contentTypes those that the caller can read
   * @throws WebRefused what no other try can mend; SiteUnavailable; the signal's reason; else this machine's network is
   * out of order
   */
  async get(text: string, contentTypes: ReadonlySet<string>, signal: AbortSignal): Promise<WebDocument> {
    const timeoutMs = this.access.timeout_s * 1000;
    const limit = new TimeLimit(signal, timeoutMs);
    const agent = guardedAgent(this.addresses, this.resolve, timeoutMs);
    try {
      return await this.follow(text, contentTypes, agent, limit.signal);
    } catch (error) {
      signal.throwIfAborted();
      if (limit.isOver) throw new SiteUnavailable(`no whole answer within ${this.access.timeout_s} s`);
      throw classify(error);
    } finally {
      limit.end();
      await agent.destroy();
    }
  }

  private async follow(
    text: string,
    contentTypes: ReadonlySet<string>,
    agent: Dispatcher,
    signal: AbortSignal,
  ): Promise<WebDocument> {
    let url = checkUrl(text, this.access, this.addresses);
    for (let redirects = 0; redirects <= MAX_REDIRECTS; redirects += 1) {
      const response = await request(url, {
        dispatcher: agent,
        signal,
        headers: {
          'user-agent': this.access.user_agent,
          accept: [...contentTypes].join(', '),
          'accept-encoding': ACCEPTED_ENCODINGS,
        },
      });
      const location = header(response.headers.location);
      if (!REDIRECTS.has(response.statusCode) || location === undefined) {
        return { url, ...(await this.read(response, contentTypes, signal)) };
      }
      discard(response.body);
      // Header bytes arrive one a character; addresses beyond ASCII are UTF-8, as in browsers.
      url = checkUrl(Buffer.from(location, 'latin1').toString(), this.access, this.addresses, url);
    }
    throw new WebRefused('refused', `the address redirects more than ${MAX_REDIRECTS} times`);
  }

  private async read(
    { statusCode, headers, body }: Dispatcher.ResponseData,
    contentTypes: ReadonlySet<string>,
    signal: AbortSignal,
  ): Promise<Omit<WebDocument, 'url'>> {
    try {
      if (isTransient(statusCode) && statusCode !== CONFLICT) {
        throw new SiteUnavailable(`the site answers with status ${statusCode}`, retryAfterMs(headers, Date.now()));
      }
      if (statusCode !== 200) throw new WebRefused('not_found', `the site answers with status ${statusCode}`);
      const [type, ...parameters] = (header(headers['content-type']) ?? '').toLowerCase().split(';');
      const contentType = type.trim();
      if (!contentTypes.has(contentType)) {
        throw new WebRefused('not_found', `the page is of type ${contentType || 'unknown'}, which cannot be read`);
      }
      const coding = { encoding: header(headers['content-encoding']), length: header(headers['content-length']) };
      const bytes = await readBody(body, coding, this.access.max_mib * 1024 * 1024, signal);
      return { contentType, charset: charsetOf(parameters), bytes };
    } finally {
      discard(body);
    }
  }
}

/** Closes the connection with what was not read: the next request resolves its host's name anew. */
function discard(body: Dispatcher.ResponseData['body']): void {
  body.on('error', () => undefined).destroy();
}

function header(value: string | string[] | undefined): string | undefined {
  return Array.isArray(value) ? value[0] : value;
}

function charsetOf(parameters: readonly string[]): string | undefined {
  return parameters.map((parameter) => /^\s*charset\s*=\s*"?([\w.:-]+)/.exec(parameter)?.[1]).find(Boolean);
}

function classify(error: unknown): unknown {
  if (!types.isNativeError(error) || error instanceof WebRefused || error instanceof SiteUnavailable) return error;
  const code = String((error as NodeJS.ErrnoException).code ?? '');
  if (OWN_NETWORK.has(code)) return error;
  if (code === 'ENOTFOUND') return new WebRefused('not_found', 'there is no such host');
  if (/^(CERT_|ERR_TLS_|ERR_SSL_|UNABLE_TO_|DEPTH_ZERO_|SELF_SIGNED_)/.test(code)) {
    return new WebRefused('refused', "the site's certificate is not valid");
  }
  return new SiteUnavailable(`the site does not answer properly (${code || error.message})`);
}
