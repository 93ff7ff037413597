import type { Readable } from 'node:stream';
import { setTimeout as sleep } from 'node:timers/promises';
import { Client } from '@modelcontextprotocol/sdk/client/index.js';
import { StdioClientTransport } from '@modelcontextprotocol/sdk/client/stdio.js';
import { StreamableHTTPClientTransport, StreamableHTTPError } from '@modelcontextprotocol/sdk/client/streamableHttp.js';
import type { Transport } from '@modelcontextprotocol/sdk/shared/transport.js';
import {
  ErrorCode,
  McpError,
  type Tool as ListedTool,
  ToolListChangedNotificationSchema,
} from '@modelcontextprotocol/sdk/types.js';
import type { McpServerRegistration } from '../../../infra/config/operator/mcp-servers.js';
import { readSecret, readSecretVariables } from '../../../infra/config/secrets.js';
import { boundToParent, stackMark } from '../../../infra/processes/bound-child.js';
import { FailureType } from '../../../contracts/failures.js';
import { nonRetryable } from '../../failures/non-retryable.js';
import { passOnRedacted } from '../../../infra/redaction/pass-on-redacted.js';
import { redactedStart, redactKnownIn } from '../../../infra/redaction/redact.js';
import { Outage } from '../../failures/outage.js';
import { BodyTooLarge, boundedFetch } from '../../http/bounded-body.js';
import { isTransient } from '../../http/transient-status.js';
import { mistake, ToolNotCalled, type Tool, type ToolOutcome } from '../tool.js';
import { listTools } from './list-tools.js';
import { toTool, type McpCall } from './mcp-tool.js';
import { callResultSchema, toOutcome } from './result-text.js';

/** A server may have to be downloaded and built before it answers. */
const CONNECT_MS = 180_000;
/** The start of a worker waits no longer for its servers; they go on starting beside it. */
const START_MS = 30_000;
/** Between two lists that a server asks for: some say several times a second that their tools have changed. */
const LIST_PAUSE_MS = 1_000;
/** Of one message of a server. */
const MAX_MESSAGE_BYTES = 16 * 1024 * 1024;
/** How the SDK's transports say that a message was larger. */
const TOO_LARGE = /ReadBuffer exceeded maximum size|BodyTooLarge/;
/** Seconds between attempts to reach a server. */
const PAUSES_S = [1, 2, 5, 10, 30];
/** runTool ends a call at its timeout; the client's own must not come first. */
const NO_TIMEOUT = 2 ** 31 - 1;
const SHOWN_CHARACTERS = 300;
/** Of different warnings of one server. */
const MAX_SAID = 100;

/** Thrown when a server is not there: nothing was called, and Temporal tries again (I2). */
export class McpServerUnavailable extends ToolNotCalled {
  override readonly name = 'McpServerUnavailable';
}

/** Thrown when a server is there and refuses to be connected, such as for a wrong key: no retry is known to mend it (I14). */
class McpServerRefused extends Error {
  override readonly name = 'McpServerRefused';
}

/** Thrown for calls beside one whose answer was too large: nobody knows which it was. Alone, each of them is told apart. */
class McpAnswerLost extends Outage {
  override readonly name = 'McpAnswerLost';
}

/**
 * Thrown when a server dies during a call, or fails at it: whether the tool did its work is not known. It is an outage if
 * the network or the status of the answer says so.
 */
class McpCallFailed extends Error {
  override readonly name = 'McpCallFailed';
  readonly status?: number;
  constructor(message: string, cause: unknown) {
    super(message, { cause });
    this.status = statusOf(cause);
  }
}

/** With these a server says that it does not know the session any more: another one is begun. */
const NO_SESSION = [400, 404];

/**
 * One server that the operator registered: connected at start and again whenever it is lost. Its tools are listed after
 * each connection, and when it says that they have changed.
 */
export class McpServer {
  private client?: Client;
  /** The one that is being connected. */
  private candidate?: Client;
  private tools?: ReadonlyMap<string, () => Tool>;
  private lastError: unknown = new Error('not connected yet');
  private connecting?: Promise<void>;
  private listing?: Promise<void>;
  private isStale = false;
  private openCalls = 0;
  /** How many calls were open when a connection was given up for a message that was too large. */
  private readonly overflows = new WeakMap<Client, number>();
  private readonly closing = new AbortController();
  private readonly said = new Set<string>();

  /** @throws SecretError */
  constructor(
    readonly name: string,
    private readonly registration: McpServerRegistration,
    private readonly warn: (error: Error) => void,
  ) {
    this.openTransport = transportOf(registration);
  }

  private readonly openTransport: () => Transport;

  /** Connects once; from then on the connection is kept. A server that is not there is tried again in the background. */
  async open(): Promise<void> {
    const connected = this.connect().catch((error: unknown) => this.lose(error));
    await Promise.race([connected, sleep(START_MS, undefined, { ref: false })]);
  }

  /** The tool by its registered name. @throws McpServerUnavailable, BadConfiguration */
  tool(name: string): Tool {
    if (!this.tools) throw isRefusal(this.lastError) ? new McpServerRefused(this.missing()) : this.unavailable();
    const make = this.tools.get(name);
    if (make) return make();
    const names = [...this.tools.keys()].join(', ') || 'none';
    throw nonRetryable(
      FailureType.BadConfiguration,
      `The MCP server ${this.name} has no tool "${name}". Its tools: ${names}.`,
    );
  }

  async close(): Promise<void> {
    this.closing.abort();
    await Promise.all([this.client?.close(), this.candidate?.close()]);
  }

  private async connect(): Promise<void> {
    const client = new Client({ name: 'agentflow', version: '1.0.0' });
    client.onclose = () => {
      if (this.client === client) this.lose(new Error('the connection was closed'));
    };
    client.onerror = (error) => this.noteOverflow(client, error);
    client.setNotificationHandler(ToolListChangedNotificationSchema, () => this.listAgain(client));
    this.candidate = client;
    try {
      await client.connect(this.openTransport(), { timeout: CONNECT_MS });
      await this.list(client);
    } catch (error) {
      await client.close();
      throw error;
    } finally {
      this.candidate = undefined;
    }
    if (this.closing.signal.aborted) return client.close();
    this.client = client;
  }

  private async list(client: Client): Promise<void> {
    this.tools = await listTools(client, this.name, {
      timeoutMs: CONNECT_MS,
      warn: (error) => this.warnOnce(error),
      make: (listed) => toTool(this.name, redactedTool(listed), this.registration, this.call),
    });
  }

  /** Each list of a server's would say it again. */
  private warnOnce(error: Error): void {
    if (this.said.has(error.message) || this.said.size >= MAX_SAID) return;
    this.said.add(error.message);
    this.warn(error);
  }

  /** Once for all that a server says meanwhile. */
  private listAgain(client: Client): void {
    this.isStale = true;
    this.listing ??= this.relist(client).finally(() => (this.listing = undefined));
  }

  private async relist(client: Client): Promise<void> {
    while (this.isStale && !this.closing.signal.aborted) {
      await sleep(LIST_PAUSE_MS, undefined, { ref: false });
      this.isStale = false;
      await this.list(client).catch((error: unknown) => (this.lastError = error));
    }
  }

  private readonly call: McpCall = async (name, input, misfit, signal) => {
    const { client } = this;
    if (!client) throw this.unavailable();
    const request = { method: 'tools/call' as const, params: { name, arguments: input } };
    this.openCalls += 1;
    try {
      return toOutcome(await client.request(request, callResultSchema, { signal, timeout: NO_TIMEOUT }), misfit);
    } catch (error) {
      signal.throwIfAborted();
      return this.failed(client, error);
    } finally {
      this.openCalls -= 1;
    }
  };

  private failed(client: Client, error: unknown): ToolOutcome {
    const callsAtOverflow = error instanceof BodyTooLarge ? 1 : this.overflows.get(client);
    if (callsAtOverflow === 1) {
      return mistake('output_limit', `the tool's answer is larger than ${MAX_MESSAGE_BYTES} bytes`);
    }
    if (callsAtOverflow !== undefined) {
      throw new McpAnswerLost(`The MCP server ${this.name} sent more than ${MAX_MESSAGE_BYTES} bytes at once.`);
    }
    if (error instanceof McpError && error.code === (ErrorCode.InvalidParams as number)) {
      return mistake('invalid_arguments', error.message);
    }
    // A refusal is the server's own word; without one the connection is gone.
    const isThere = isRefusal(error) && !NO_SESSION.includes(statusOf(error) ?? 0);
    // In other words than a refusal to be connected, which nobody has tried yet.
    if (!isThere && this.client === client) this.lose(new Error(shown(error)));
    throw new McpCallFailed(`The MCP server ${this.name} failed: ${shown(error)}`, error);
  }

  /** A transport that has read too much does not say to whom: all calls of the connection end. */
  private noteOverflow(client: Client, error: Error): void {
    if (!TOO_LARGE.test(error.message) && !(error instanceof BodyTooLarge)) return;
    this.overflows.set(client, this.openCalls);
    void client.close().catch(() => undefined);
  }

  /** Forgets a connection that is gone, and connects again until it succeeds. */
  private lose(error: unknown): void {
    const { client } = this;
    this.client = this.tools = undefined;
    this.lastError = error;
    void client?.close().catch(() => undefined); // it is gone already
    if (this.closing.signal.aborted) return;
    this.warn(this.unavailable());
    this.connecting ??= this.reconnect().finally(() => (this.connecting = undefined));
  }

  private async reconnect(): Promise<void> {
    for (let attempt = 0; !this.closing.signal.aborted; attempt += 1) {
      try {
        await sleep(PAUSES_S[Math.min(attempt, PAUSES_S.length - 1)] * 1_000, undefined, {
          signal: this.closing.signal,
        });
        return await this.connect();
      } catch (error) {
        this.lastError = error;
      }
    }
  }

  private unavailable(): McpServerUnavailable {
    return new McpServerUnavailable(this.missing());
  }

  private missing(): string {
    return `The MCP server ${this.name} is not there: ${shown(this.lastError)}. It is tried again; look at \`mcp_servers\` in the operator's file.`;
  }
}

/** Errors that the SDK makes itself, of a connection that is gone and an answer that does not come. */
const CLIENT_ERRORS: readonly number[] = [ErrorCode.ConnectionClosed, ErrorCode.RequestTimeout];

/** Whether a server has answered that it will not do something: with an error of the protocol, or a status that stays. */
function isRefusal(error: unknown): boolean {
  if (error instanceof McpError) return !CLIENT_ERRORS.includes(error.code);
  const status = statusOf(error);
  return status !== undefined && status >= 400 && !isTransient(status);
}

function statusOf(error: unknown): number | undefined {
  return error instanceof StreamableHTTPError ? error.code : undefined;
}

function transportOf(registration: McpServerRegistration): () => Transport {
  if ('url' in registration) {
    const { url, key } = registration;
    const headers = key === undefined ? undefined : { authorization: `Bearer ${readSecret(key)}` };
    const fetch = boundedFetch(MAX_MESSAGE_BYTES);
    return () =>
      new StreamableHTTPClientTransport(new URL(url), { fetch, requestInit: { headers, redirect: 'error' } });
  }
  const { command, args, directory } = registration;
  const env = readSecretVariables(registration.env);
  return () => {
    const transport = new StdioClientTransport({
      ...boundToParent({ command, args }),
      env: { ...env, ...stackMark() },
      cwd: directory,
      maxBufferSize: MAX_MESSAGE_BYTES,
      stderr: 'pipe',
    });
    passOnRedacted(transport.stderr as Readable, process.stderr);
    return transport;
  };
}

/** Without keys, but under its own name: it is called by it. */
function redactedTool(listed: ListedTool): ListedTool {
  return { ...redactKnownIn(listed), name: listed.name };
}

function shown(error: unknown): string {
  return redactedStart(error instanceof Error ? error.message : String(error), SHOWN_CHARACTERS);
}
