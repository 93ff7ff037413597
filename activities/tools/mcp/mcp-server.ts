import { setTimeout as sleep } from 'node:timers/promises';
import { Client } from '@modelcontextprotocol/sdk/client/index.js';
import { StdioClientTransport } from '@modelcontextprotocol/sdk/client/stdio.js';
import { StreamableHTTPClientTransport } from '@modelcontextprotocol/sdk/client/streamableHttp.js';
import type { Transport } from '@modelcontextprotocol/sdk/shared/transport.js';
import {
  type CallToolResult,
  ErrorCode,
  McpError,
  ToolListChangedNotificationSchema,
} from '@modelcontextprotocol/sdk/types.js';
import type { McpServerRegistration } from '../../../infra/config/operator/mcp-servers.js';
import { readSecret } from '../../../infra/config/secrets.js';
import { FailureType } from '../../../workflows/contracts/failures.js';
import { nonRetryable } from '../../failures/non-retryable.js';
import { redact } from '../../failures/redact.js';
import { mistake, type Tool, type ToolOutcome } from '../tool.js';
import { registeredToolName, toTool } from './mcp-tool.js';
import { toOutcome } from './result-text.js';

const CONNECT_MS = 30_000;
/** Seconds between attempts to reach a server. */
const PAUSES_S = [1, 2, 5, 10, 30];
/** runTool ends a call at its timeout; the client's own must not come first. */
const NO_TIMEOUT = 2 ** 31 - 1;
const SHOWN_CHARACTERS = 300;

/** Thrown when a server is not there, or dies during a call: an outage, retried by Temporal (I2). */
export class McpServerUnavailable extends Error {
  override readonly name = 'McpServerUnavailable';
}

/**
 * One server that the operator registered: connected at start and again whenever it is lost. Its tools are listed after
 * each connection, and when it says that they have changed.
 */
export class McpServer {
  private client?: Client;
  private tools?: ReadonlyMap<string, () => Tool>;
  private lastError = 'not connected yet';
  private connecting?: Promise<void>;
  private readonly closing = new AbortController();

  /** @throws SecretError */
  constructor(
    readonly name: string,
    private readonly registration: McpServerRegistration,
    private readonly onLost: (error: Error) => void,
  ) {
    this.openTransport = transportOf(registration);
  }

  private readonly openTransport: () => Transport;

  /** Connects once; from then on the connection is kept. A server that is not there is tried again in the background. */
  async open(): Promise<void> {
    await this.connect().catch((error: unknown) => this.lose(error));
  }

  /** The tool by its registered name. @throws McpServerUnavailable, BadConfiguration */
  tool(name: string): Tool {
    if (!this.tools) throw this.unavailable();
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
    await this.client?.close();
  }

  private async connect(): Promise<void> {
    const client = new Client({ name: 'agentflow', version: '1.0.0' });
    client.onclose = () => {
      if (this.client === client) this.lose(new Error('the connection was closed'));
    };
    client.setNotificationHandler(ToolListChangedNotificationSchema, () => this.list(client));
    try {
      await client.connect(this.openTransport(), { timeout: CONNECT_MS });
      await this.list(client);
    } catch (error) {
      await client.close();
      throw error;
    }
    if (this.closing.signal.aborted) return client.close();
    this.client = client;
  }

  private async list(client: Client): Promise<void> {
    const timeoutMs = this.registration.timeout_s * 1_000;
    const tools = new Map<string, () => Tool>();
    let cursor: string | undefined;
    do {
      const page = await client.listTools({ cursor }, { timeout: CONNECT_MS });
      for (const listed of page.tools) {
        const name = registeredToolName(this.name, listed.name);
        let tool: Tool | undefined;
        tools.set(name, () => (tool ??= toTool(this.name, listed, timeoutMs, this.call)));
      }
      cursor = page.nextCursor;
    } while (cursor !== undefined);
    this.tools = tools;
  }

  private readonly call = async (
    name: string,
    input: Record<string, unknown>,
    signal: AbortSignal,
  ): Promise<ToolOutcome> => {
    const { client } = this;
    if (!client) throw this.unavailable();
    try {
      const result = await client.callTool({ name, arguments: input }, undefined, { signal, timeout: NO_TIMEOUT });
      return toOutcome(result as CallToolResult);
    } catch (error) {
      signal.throwIfAborted();
      if (error instanceof McpError && error.code === (ErrorCode.InvalidParams as number)) {
        return mistake('invalid_arguments', error.message);
      }
      // Any other error of the protocol is the server's own; without one the connection is gone.
      if (!(error instanceof McpError) && this.client === client) this.lose(error);
      throw new McpServerUnavailable(`The MCP server ${this.name} failed: ${shown(error)}`);
    }
  };

  /** Forgets a connection that is gone, and connects again until it succeeds. */
  private lose(error: unknown): void {
    const { client } = this;
    this.client = this.tools = undefined;
    this.lastError = shown(error);
    void client?.close().catch(() => undefined); // it is gone already
    if (this.closing.signal.aborted) return;
    this.onLost(this.unavailable());
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
        this.lastError = shown(error);
      }
    }
  }

  private unavailable(): McpServerUnavailable {
    return new McpServerUnavailable(
      `The MCP server ${this.name} is not there: ${this.lastError}. It is tried again; look at \`mcp_servers\` in the operator's file.`,
    );
  }
}

function transportOf(registration: McpServerRegistration): () => Transport {
  if ('url' in registration) {
    const { url, key } = registration;
    const headers = key === undefined ? undefined : { authorization: `Bearer ${readSecret(key)}` };
    return () => new StreamableHTTPClientTransport(new URL(url), { requestInit: { headers, redirect: 'error' } });
  }
  const { command, args, directory } = registration;
  const secrets = Object.entries(registration.env).map(([name, source]) => [name, readSecret(source)]);
  const env = Object.fromEntries(secrets) as Record<string, string>;
  return () => new StdioClientTransport({ command, args, env, cwd: directory, stderr: 'inherit' });
}

function shown(error: unknown): string {
  return redact(error instanceof Error ? error.message : String(error)).slice(0, SHOWN_CHARACTERS);
}
