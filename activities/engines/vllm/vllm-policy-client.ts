import { FailureType } from '../../../contracts/failures.js';
import { nonRetryable } from '../../failures/non-retryable.js';
import { JsonHttp } from '../json-http.js';
import type { Completion, CompletionRequest, PolicyClient } from '../policy-client.js';
import { PolicyServerAnswerInvalid, PolicyServerMisconfigured, PolicyServerUnavailable } from '../policy-errors.js';
import { Adapters } from './adapters.js';
import { FullWeights } from './full-weights.js';
import { waitFor, type HeldWeights } from './held-weights.js';
import { PolicyDirectories, PolicyNotThere, type PolicyRef } from './policy-directory.js';
import { probe, type ProbeReference } from './probe.js';
import { ANSWER_FORM, LOWEST_TEMPERATURE, NEUTRAL_SAMPLING, vllmSeed } from './sampling.js';
import { readAnswer } from './vllm-answer.js';
import { servedBase, VllmApi } from './vllm-api.js';

export interface VllmOptions {
  url: string;
  /** The server's `--api-key`. */
  key?: string;
  /** Root of the artifact store, `file:///absolute/directory`, at the same path on the server's machine. */
  artifacts: string;
  reference: ProbeReference;
  /** Positions of the registered model that are used: prompt and response together. */
  context: number;
  /** Adapters that stay loaded. */
  adapters: number;
}

/** A checked server. */
interface Server {
  /** What requests call the base model. */
  baseName: string;
}

/** How often weights may be lost between their load and the answer before the call is given up. */
const ATTEMPTS = 3;

/** Client of a vLLM server: docs/vllm.md. */
export class VllmPolicyClient implements PolicyClient {
  private readonly http: JsonHttp;
  private readonly api: VllmApi;
  private readonly directories: PolicyDirectories;
  private readonly adapters: Adapters;
  private readonly full: FullWeights;
  /** Of the server as it runs now; given up when it turns out to have been restarted. */
  private server?: Promise<Server>;

  constructor(private readonly options: VllmOptions) {
    this.http = new JsonHttp(options.url, options.key);
    this.api = new VllmApi(this.http);
    this.directories = new PolicyDirectories(options.artifacts);
    this.adapters = new Adapters(this.api, options.adapters);
    this.full = new FullWeights(this.api);
  }

  /**
   * Compares the server with the trainer, once for as long as it runs.
   * @throws PolicyServerUnavailable, PolicyServerMisconfigured; failure BadConfiguration
   */
  async verify(): Promise<void> {
    await this.checkedServer();
  }

  async complete(request: CompletionRequest, signal: AbortSignal): Promise<Completion> {
    refuseTemperature(request.temperature);
    for (let attempt = 1; attempt <= ATTEMPTS; attempt += 1) {
      const held = await this.hold(request, signal);
      try {
        const body = await this.api.chat(toWire(request, held), signal);
        if (body !== undefined) {
          await confirm(held);
          const { context } = this.options;
          return readAnswer(body, { request, servedName: held.servedName, policySha256: held.sha256, context });
        }
        held.lost();
      } catch (error) {
        // An invalid answer says nothing of weights that were confirmed: other calls use them.
        const invalid = error instanceof PolicyServerMisconfigured || error instanceof PolicyServerAnswerInvalid;
        if (invalid && !held.confirms) held.lost();
        throw error;
      } finally {
        held.release();
      }
    }
    throw new PolicyServerUnavailable(`it lost ${request.model} ${ATTEMPTS} times right after it was loaded`);
  }

  async close(): Promise<void> {
    await this.http.close();
  }

  private async hold(request: CompletionRequest, signal: AbortSignal): Promise<HeldWeights> {
    const server = this.checkedServer();
    const { baseName } = await waitFor(server, signal);
    const held = request.model.includes('@')
      ? await this.holdPolicy(toPolicy(request), baseName, signal)
      : this.holdBase(request, baseName);
    const lost = () => {
      if (this.server === server) this.server = undefined;
      held.lost();
    };
    return { ...held, lost };
  }

  private async holdPolicy(policy: PolicyRef, baseName: string, signal: AbortSignal): Promise<HeldWeights> {
    const baseModel = this.options.reference.model;
    const known = this.adapters.has(policy) ? 'adapter' : this.full.has(policy) ? 'full' : undefined;
    const kind = known ?? (await this.directories.kind(policy));
    if (kind === 'adapter') {
      return this.adapters.hold(policy, () => this.directories.checked(policy, baseModel), signal);
    }
    return this.full.hold(policy, () => this.directories.checkedWeights(policy, baseModel), baseName, signal);
  }

  private holdBase({ model, policySha256 }: CompletionRequest, baseName: string): HeldWeights {
    const { model: registered, model_sha256: sha256 } = this.options.reference;
    if (model !== registered) {
      throw nonRetryable(FailureType.BadConfiguration, `vLLM serves ${registered}, and ${model} was asked for`);
    }
    if (this.full.replaced) {
      throw nonRetryable(
        FailureType.BadConfiguration,
        `${model} cannot be asked: the whole weights of a policy are in its place. Use no tool that asks it.`,
      );
    }
    if (policySha256 !== undefined && policySha256 !== sha256) {
      throw new PolicyNotThere({ name: model, sha256: policySha256 }, `the model has sha256 ${sha256}`);
    }
    const nothing = () => undefined;
    const confirm = () => Promise.resolve();
    return { servedName: baseName, sha256, lost: nothing, confirms: false, confirm, release: nothing };
  }

  private checkedServer(): Promise<Server> {
    if (this.server) return this.server;
    const checking = this.check();
    this.server = checking;
    checking.catch(() => {
      if (this.server === checking) this.server = undefined;
    });
    return checking;
  }

  private async check(): Promise<Server> {
    const { reference, context } = this.options;
    const base = servedBase(await this.api.models(), reference.model);
    if (base.max_model_len && base.max_model_len < context) {
      throw new PolicyServerMisconfigured(`start it with --max-model-len of at least ${context}, the model's context`);
    }
    await this.full.restoreBase(base.root ?? base.id);
    await probe(this.api, reference, base.id);
    await this.adapters.synchronise();
    return { baseName: base.id };
  }
}

async function confirm(held: HeldWeights): Promise<void> {
  try {
    await held.confirm();
  } catch (error) {
    held.lost();
    throw error;
  }
}

function toPolicy({ model, policySha256 }: CompletionRequest): PolicyRef {
  if (policySha256 !== undefined) return { name: model, sha256: policySha256 };
  throw nonRetryable(FailureType.BadConfiguration, `${model} was asked for without its sha256 (I11)`);
}

function refuseTemperature(temperature: number): void {
  if (temperature === 0 || temperature >= LOWEST_TEMPERATURE) return;
  throw nonRetryable(
    FailureType.BadConfiguration,
    `temperature ${temperature}: vLLM would sample at ${LOWEST_TEMPERATURE} instead; use 0 or at least that`,
  );
}

function toWire(request: CompletionRequest, { servedName, sha256 }: HeldWeights): Record<string, unknown> {
  return {
    model: servedName,
    messages: request.messages,
    max_tokens: request.maxTokens,
    temperature: request.temperature,
    seed: vllmSeed(request.seed),
    top_logprobs: 0,
    // Keys of its prefix cache contain the policy's content.
    cache_salt: sha256,
    ...NEUTRAL_SAMPLING,
    ...ANSWER_FORM,
  };
}
