import { createServer, type IncomingHttpHeaders, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';

export interface ProviderRequest {
  path: string;
  headers: IncomingHttpHeaders;
  body: Record<string, unknown>;
}

/** What the server does with a request: speak the provider's protocol, or one of the things that providers also do. */
export type Behaviour =
  | { kind: 'reply'; text: string; after?: Promise<void> }
  | { kind: 'refuse'; status: number; headers?: Record<string, string>; body?: string }
  | { kind: 'send'; body: string | Buffer; headers?: Record<string, string> }
  | { kind: 'garbage' }
  | { kind: 'half' }
  | { kind: 'hang' };

/**
 * A server that speaks the protocols of all provider families, told apart by their paths: OpenAI's responses and chat,
 * Anthropic's messages, Google's generateContent, Bedrock's converse. Every reply counts 12 tokens in and 3 out. Where a
 * tool must be called the text, which is JSON, comes as its input.
 */
export class ProviderServer {
  readonly requests: ProviderRequest[] = [];
  behave: (request: ProviderRequest, index: number) => Behaviour = () => ({ kind: 'reply', text: 'Paris' });
  private readonly server: Server;
  private port = 0;

  constructor() {
    this.server = createServer((incoming, outgoing) => {
      const chunks: Buffer[] = [];
      incoming.on('data', (chunk: Buffer) => chunks.push(chunk));
      incoming.on('end', () => {
        const body = JSON.parse(Buffer.concat(chunks).toString()) as Record<string, unknown>;
        const request = { path: incoming.url ?? '', headers: incoming.headers, body };
        this.requests.push(request);
        const behaviour = this.behave(request, this.requests.length - 1);
        switch (behaviour.kind) {
          case 'reply':
            return void Promise.resolve(behaviour.after).then(() => {
              outgoing.writeHead(200, { 'content-type': 'application/json' });
              outgoing.end(JSON.stringify(protocolReply(request, behaviour.text)));
            });
          case 'refuse':
            outgoing.writeHead(behaviour.status, { 'content-type': 'application/json', ...behaviour.headers });
            return outgoing.end(behaviour.body ?? '{"error":{"message":"no","type":"refused"}}');
          case 'send':
            return outgoing
              .writeHead(200, { 'content-type': 'application/json', ...behaviour.headers })
              .end(behaviour.body);
          case 'garbage':
            return outgoing.writeHead(200, { 'content-type': 'application/json' }).end('<html>not what you asked');
          case 'half':
            outgoing.writeHead(200, { 'content-type': 'application/json', 'content-length': '4096' });
            outgoing.write(JSON.stringify(protocolReply(request, 'half')).slice(0, 40));
            return setImmediate(() => outgoing.destroy());
          case 'hang':
            return undefined;
        }
      });
    });
  }

  async start(): Promise<string> {
    await this.listen(0);
    return `http://127.0.0.1:${this.port}`;
  }

  /** On the address that it had. */
  async startAgain(): Promise<void> {
    await this.listen(this.port);
  }

  private async listen(port: number): Promise<void> {
    await new Promise<void>((resolve) => this.server.listen(port, '127.0.0.1', resolve));
    this.port = (this.server.address() as AddressInfo).port;
  }

  async stop(): Promise<void> {
    this.server.closeAllConnections();
    await new Promise<void>((resolve) => this.server.close(() => resolve()));
  }
}

function protocolReply({ path, body }: ProviderRequest, text: string): object {
  if (path.includes('/responses')) {
    const content = [{ type: 'output_text', text, annotations: [] }];
    return {
      id: 'resp_1',
      object: 'response',
      created_at: 1,
      model: 'model-1',
      status: 'completed',
      output: [{ type: 'message', id: 'msg_1', role: 'assistant', status: 'completed', content }],
      usage: { input_tokens: 12, output_tokens: 3, total_tokens: 15 },
    };
  }
  if (path.includes('/messages')) {
    return {
      type: 'message',
      id: 'msg_1',
      model: 'model-1',
      role: 'assistant',
      content: body.tool_choice
        ? [{ type: 'tool_use', id: 'tool_1', name: 'json', input: JSON.parse(text) as unknown }]
        : [{ type: 'text', text }],
      stop_reason: body.tool_choice ? 'tool_use' : 'end_turn',
      stop_sequence: null,
      usage: { input_tokens: 12, output_tokens: 3 },
    };
  }
  if (path.includes(':generateContent')) {
    return {
      candidates: [{ content: { role: 'model', parts: [{ text }] }, finishReason: 'STOP', index: 0 }],
      usageMetadata: { promptTokenCount: 12, candidatesTokenCount: 3, totalTokenCount: 15 },
    };
  }
  if (path.includes('/converse')) {
    const content = body.toolConfig
      ? { toolUse: { toolUseId: 'tool_1', name: 'json', input: JSON.parse(text) as unknown } }
      : { text };
    return {
      output: { message: { role: 'assistant', content: [content] } },
      stopReason: body.toolConfig ? 'tool_use' : 'end_turn',
      usage: { inputTokens: 12, outputTokens: 3, totalTokens: 15 },
    };
  }
  return {
    id: 'chatcmpl-1',
    object: 'chat.completion',
    created: 1,
    model: 'model-1',
    choices: [{ index: 0, message: { role: 'assistant', content: text }, finish_reason: 'stop' }],
    usage: { prompt_tokens: 12, completion_tokens: 3, total_tokens: 15 },
  };
}
