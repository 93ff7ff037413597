import { createHash } from 'node:crypto';
import { existsSync, readFileSync } from 'node:fs';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo, Socket } from 'node:net';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { decode, END_TOKEN, sampleToken, tokenize, type Sampled, type Sampling } from './vllm-model.js';

export interface VllmServerOptions {
  /** --logprobs-mode */
  logprobsMode: 'raw_logprobs' | 'processed_logprobs';
  /** The model's generation_config.json, as --generation-config auto applies it; undefined: --generation-config vllm. */
  generationConfig?: Partial<Sampling> & { max_new_tokens?: number };
  /** VLLM_ALLOW_RUNTIME_LORA_UPDATING */
  runtimeLora: boolean;
  /** VLLM_SERVER_DEV_MODE */
  devMode: boolean;
  /** Versions before 0.33 have no /weight_checker. */
  weightChecker: boolean;
  /** Says that it reloaded its weights, and has not. */
  keepsWeights: boolean;
  maxModelLen: number;
  maxLogprobs: number;
  maxLoraRank: number;
  apiKey?: string;
  servedModelName: string;
  /** Which weights it was started with: another model's are a mistake. */
  weights: string;
  /** Versions before 0.10.2 know no return_token_ids. */
  returnsTokenIds: boolean;
  /** Says that it loaded an adapter, and has not. */
  losesAdapters: boolean;
  /** How long loading an adapter or weights takes. */
  loadMs: number;
}

type Body = Record<string, unknown>;
type Reply = { status: number; body: unknown };

const DEFAULTS: VllmServerOptions = {
  logprobsMode: 'processed_logprobs',
  runtimeLora: true,
  devMode: false,
  weightChecker: true,
  keepsWeights: false,
  maxModelLen: 4096,
  maxLogprobs: 20,
  maxLoraRank: 16,
  servedModelName: 'served/model',
  weights: 'base',
  returnsTokenIds: true,
  losesAdapters: false,
  loadMs: 0,
};

/**
 * The documented HTTP protocol of a vLLM server, over a made-up model: chat completions with token ids and log-probs,
 * adapters that are loaded and unloaded while it runs, and the development endpoints for whole weights. Its state is
 * lost by `restart`.
 */
export class VllmServer {
  options: VllmServerOptions;
  /** Every request since the last `forgetCalls`, as `POST /v1/chat/completions`. */
  calls: string[] = [];
  /** Bodies of the chat completions. */
  chats: Body[] = [];
  /** Adapters by name. */
  readonly adapters = new Map<string, { root: string; weights: string }>();
  weightVersion = 'default';
  /** Answers the next requests of a path instead of the server. */
  readonly replies = new Map<string, (Reply | 'break')[]>();
  /** Chat completions wait for it before they answer. */
  gate: Promise<void> = Promise.resolve();
  private weights: string;
  private readonly sockets = new Set<Socket>();
  private readonly server: Server;

  constructor(options: Partial<VllmServerOptions> = {}) {
    this.options = { ...DEFAULTS, ...options };
    this.weights = this.options.weights;
    this.server = createServer((incoming, outgoing) => void this.serve(incoming, outgoing));
    this.server.on('connection', (socket: Socket) => {
      this.sockets.add(socket);
      socket.on('close', () => this.sockets.delete(socket));
    });
  }

  get url(): string {
    return `http://127.0.0.1:${(this.server.address() as AddressInfo).port}`;
  }

  async start(): Promise<this> {
    await new Promise<void>((resolve) => this.server.listen(0, '127.0.0.1', resolve));
    return this;
  }

  stop(): void {
    this.server.closeAllConnections();
    this.server.close();
  }

  /** As a new process at the same address: open requests break, and what was loaded is gone. */
  async restart(options: Partial<VllmServerOptions> = {}): Promise<void> {
    this.sockets.forEach((socket) => socket.destroy());
    this.options = { ...this.options, ...options };
    this.adapters.clear();
    this.weights = this.options.weights;
    this.weightVersion = 'default';
    // Until the other side has seen that its idle connections are gone.
    await sleep(20);
  }

  forgetCalls(): void {
    this.calls = [];
    this.chats = [];
  }

  count(call: string): number {
    return this.calls.filter((made) => made === call).length;
  }

  private async serve(incoming: IncomingMessage, outgoing: ServerResponse): Promise<void> {
    const path = incoming.url!;
    const body = await readBody(incoming);
    this.calls.push(`${incoming.method} ${path}`);
    const prepared = this.replies.get(path)?.shift();
    if (prepared === 'break') return void outgoing.destroy();
    const { status, body: answer } = prepared ?? (await this.answer(`${incoming.method} ${path}`, body, incoming));
    const text = typeof answer === 'string' ? answer : JSON.stringify(answer);
    outgoing.writeHead(status, { 'content-type': 'application/json' }).end(text);
  }

  private async answer(route: string, body: Body, { headers }: IncomingMessage): Promise<Reply> {
    const { apiKey, devMode, runtimeLora } = this.options;
    if (apiKey && headers.authorization !== `Bearer ${apiKey}`) return { status: 401, body: { error: 'Unauthorized' } };
    const routes: Record<string, (body: Body) => Reply | Promise<Reply>> = {
      'GET /v1/models': () => this.models(),
      'POST /v1/chat/completions': (request) => this.chat(request),
      ...(runtimeLora && {
        'POST /v1/load_lora_adapter': (request: Body) => this.loadAdapter(request),
        'POST /v1/unload_lora_adapter': (request: Body) => this.unloadAdapter(request),
      }),
      ...(devMode && {
        'POST /collective_rpc': (request: Body) => this.collectiveRpc(request),
        'POST /reset_prefix_cache': () => ok({ success: true }),
        'POST /update_weight_version': (request: Body) => this.setWeightVersion(request),
        ...(this.options.weightChecker && { 'POST /weight_checker': () => this.checksums() }),
        'GET /weight_info': () => ok({ weight_version: this.weightVersion }),
      }),
    };
    return (await routes[route]?.(body)) ?? { status: 404, body: { detail: 'Not Found' } };
  }

  private models(): Reply {
    const { servedModelName, maxModelLen } = this.options;
    const card = { object: 'model', created: 0, owned_by: 'vllm' };
    const base = { ...card, id: servedModelName, root: '/models/base', parent: null, max_model_len: maxModelLen };
    const adapters = [...this.adapters].map(([id, { root }]) => ({ ...card, id, root, parent: servedModelName }));
    return ok({ object: 'list', data: [base, ...adapters] });
  }

  private async chat(request: Body): Promise<Reply> {
    this.chats.push(request);
    const weights = this.weightsOf(String(request.model));
    if (weights === undefined)
      return refuse(404, `The model \`${String(request.model)}\` does not exist.`, 'NotFoundError');
    await this.gate;
    const prompt = tokenize(request.messages as { role: string; content: string }[]);
    const top = request.top_logprobs as number;
    if (top > this.options.maxLogprobs) {
      return refuse(400, `Requested sample logprobs of ${top}, which is greater than max allowed: 20`);
    }
    const limit = this.options.maxModelLen;
    if (prompt.length >= limit) {
      const message = `This model's maximum context length is ${limit} tokens. However, your request has ${prompt.length} input tokens.`;
      return refuse(400, message, 'BadRequestError', 'input_tokens');
    }
    return ok(this.complete(request, prompt, weights));
  }

  private complete(request: Body, prompt: number[], weights: string): Body {
    const sampling = { ...NEUTRAL, ...this.options.generationConfig, ...given(request) };
    const most = Math.min(
      request.max_tokens as number,
      this.options.maxModelLen - prompt.length,
      this.options.generationConfig?.max_new_tokens ?? Infinity,
    );
    const tokens: Sampled[] = [];
    while (tokens.length < most && tokens.at(-1)?.id !== END_TOKEN) {
      const context = [...prompt, ...tokens.map(({ id }) => id)];
      tokens.push(sampleToken(context, weights, sampling, String(request.seed)));
    }
    const ids = tokens.map(({ id }) => id);
    const withIds = this.options.returnsTokenIds && request.return_token_ids === true;
    const choice = {
      index: 0,
      message: { role: 'assistant', content: decode(ids) },
      finish_reason: ids.at(-1) === END_TOKEN ? 'stop' : 'length',
      stop_reason: null,
      logprobs: { content: tokens.map((token) => this.logprobs(token, request.top_logprobs as number)) },
      ...(withIds && { token_ids: ids }),
    };
    return {
      id: 'chatcmpl-1',
      object: 'chat.completion',
      model: request.model,
      choices: [choice],
      usage: { prompt_tokens: prompt.length, completion_tokens: ids.length, total_tokens: prompt.length + ids.length },
      ...(withIds && { prompt_token_ids: prompt }),
    };
  }

  private logprobs({ id, raw, processed }: Sampled, top: number): Body {
    const all = this.options.logprobsMode === 'raw_logprobs' ? raw : processed;
    const entry = (token: number) => ({
      token: `token_id:${token}`,
      logprob: Math.max(all[token], -9999),
      bytes: null,
    });
    const order = all.map((_, token) => token).sort((a, b) => all[b] - all[a]);
    return { ...entry(id), top_logprobs: order.slice(0, top).map(entry) };
  }

  private async loadAdapter({ lora_name: name, lora_path: path }: Body): Promise<Reply> {
    const [key, root] = [String(name), String(path)];
    if (this.adapters.has(key)) {
      return refuse(400, `The lora adapter '${key}' has already been loaded.`, 'InvalidUserInput');
    }
    const config = join(root, 'adapter_config.json');
    if (!existsSync(config)) {
      return refuse(404, `Loading lora ${key} failed: No adapter found for ${root}`, 'NotFoundError');
    }
    const { r } = JSON.parse(readFileSync(config, 'utf8')) as { r: number };
    if (r > this.options.maxLoraRank) {
      return refuse(400, `LoRA rank ${r} is greater than max_lora_rank ${this.options.maxLoraRank}.`);
    }
    await sleep(this.options.loadMs);
    if (!this.options.losesAdapters)
      this.adapters.set(key, { root, weights: readFileSync(join(root, 'adapter_model.safetensors'), 'base64') });
    return { status: 200, body: `Success: LoRA adapter '${key}' added successfully.` };
  }

  private unloadAdapter({ lora_name: name }: Body): Reply {
    if (!this.adapters.delete(String(name))) {
      return refuse(404, `The lora adapter '${String(name)}' cannot be found.`, 'NotFoundError');
    }
    return { status: 200, body: `Success: LoRA adapter '${String(name)}' removed successfully.` };
  }

  private async collectiveRpc({ method, kwargs }: Body): Promise<Reply> {
    if (method !== 'reload_weights') return refuse(500, 'unknown method', 'InternalServerError');
    const path = (kwargs as { weights_path: string }).weights_path;
    await sleep(this.options.loadMs);
    const file = join(path, 'model.safetensors');
    if (this.options.keepsWeights) return ok({ results: [null] });
    this.weights = path === '/models/base' ? this.options.weights : readFileSync(file, 'base64');
    return ok({ results: [null] });
  }

  private checksums(): Reply {
    const digest = createHash('sha256').update(this.weights).digest('hex');
    return ok({ checksums: { 'dp0:pp0:pcp0:tp0:a.weight': digest } });
  }

  private setWeightVersion({ new_version: version }: Body): Reply {
    this.weightVersion = String(version);
    return ok({ success: true, new_version: version });
  }

  private weightsOf(model: string): string | undefined {
    return model === this.options.servedModelName ? this.weights : this.adapters.get(model)?.weights;
  }
}

const NEUTRAL: Sampling = {
  temperature: 1,
  top_p: 1,
  top_k: 0,
  min_p: 0,
  repetition_penalty: 1,
  presence_penalty: 0,
  frequency_penalty: 0,
};

/** The sampling parameters that a request carries. */
function given(request: Body): Partial<Sampling> {
  return Object.fromEntries(Object.keys(NEUTRAL).flatMap((name) => (name in request ? [[name, request[name]]] : [])));
}

function ok(body: unknown): Reply {
  return { status: 200, body };
}

function refuse(status: number, message: string, type = 'BadRequestError', param: string | null = null): Reply {
  return { status, body: { error: { message, type, param, code: status } } };
}

async function readBody(incoming: IncomingMessage): Promise<Body> {
  const chunks: Buffer[] = [];
  for await (const chunk of incoming) chunks.push(chunk as Buffer);
  return chunks.length > 0 ? (JSON.parse(Buffer.concat(chunks).toString()) as Body) : {};
}
