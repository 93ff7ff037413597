import { z } from 'zod';
import type { JsonAnswer, JsonHttp } from '../json-http.js';
import { PolicyServerAnswerInvalid, PolicyServerMisconfigured, PolicyServerUnavailable } from '../policy-errors.js';
import { issuesOf } from '../policy-response.js';
import { completionRefused, isUnknownModel, isUnknownRoute, readError, refused, type VllmError } from './vllm-error.js';

const modelsSchema = z.object({
  data: z.array(
    z.object({
      id: z.string(),
      /** Where it was loaded from. */
      root: z.string().nullish(),
      /** The base model of an adapter; none for a base model. */
      parent: z.string().nullish(),
      max_model_len: z.number().nullish(),
    }),
  ),
});
const weightInfoSchema = z.object({ weight_version: z.string() });
const weightChecksumsSchema = z.object({ checksums: z.record(z.string(), z.string()) });

export type ServedModel = z.infer<typeof modelsSchema>['data'][number];

/** What a fresh server says of the weights that it was started with. */
export const INITIAL_WEIGHTS = 'default';

/** Of a call that loads weights or asks for a state. It belongs to no single activity, so it has a limit of its own. */
const LIMIT_MS = 10 * 60 * 1000;

/** The endpoints of vLLM that are used: docs/vllm.md lists them with the versions that have them. */
export class VllmApi {
  constructor(private readonly http: JsonHttp) {}

  /** Base models and adapters that requests can name now. */
  async models(): Promise<ServedModel[]> {
    const answer = await this.http.get('/v1/models', limit());
    if (answer.status !== 200) throw refused(readError(answer));
    return read(modelsSchema, answer).data;
  }

  /** @returns the answer's body; undefined where the server does not know the model */
  async chat(body: Record<string, unknown>, signal: AbortSignal): Promise<unknown> {
    const answer = await this.http.post('/v1/chat/completions', body, signal);
    if (answer.status === 200) return answer.body ?? null;
    const error = readError(answer);
    if (isUnknownModel(error)) return undefined;
    throw completionRefused(error);
  }

  /** @returns false where an adapter of that name is loaded already */
  async loadAdapter(name: string, directory: string): Promise<boolean> {
    const answer = await this.http.post('/v1/load_lora_adapter', { lora_name: name, lora_path: directory }, limit());
    if (answer.status === 200) return true;
    const error = readError(answer);
    if (error.message.includes('already been loaded')) return false;
    throw adapterRefused(error, directory);
  }

  /** Does nothing where there is none of that name. */
  async unloadAdapter(name: string): Promise<void> {
    const answer = await this.http.post('/v1/unload_lora_adapter', { lora_name: name }, limit());
    if (answer.status === 200) return;
    const error = readError(answer);
    if (!isUnknownModel(error)) throw refused(error);
  }

  /** What was last given to `setWeightVersion`; undefined where the server cannot say. */
  async weightVersion(): Promise<string | undefined> {
    const answer = await this.http.get('/weight_info', limit());
    if (answer.status === 200) return read(weightInfoSchema, answer).weight_version;
    const error = readError(answer);
    if (isUnknownRoute(error)) return undefined;
    throw refused(error);
  }

  async setWeightVersion(version: string): Promise<void> {
    await this.develop('/update_weight_version', { new_version: version });
  }

  /** Replaces the base weights. A failed reload may leave a mixture. */
  async reloadWeights(directory: string): Promise<void> {
    await this.develop('/collective_rpc', { method: 'reload_weights', kwargs: { weights_path: directory } });
  }

  /** @throws PolicyServerUnavailable where blocks are still in use */
  async resetPrefixCache(): Promise<void> {
    const body = await this.develop('/reset_prefix_cache', {});
    // Versions before `success` answer with an empty body.
    if (z.object({ success: z.literal(false) }).safeParse(body).success) {
      throw new PolicyServerUnavailable('its prefix cache is in use and could not be emptied');
    }
  }

  /** Digests of the parameters on every rank, by rank and name; undefined in versions that have none. */
  async weightChecksums(): Promise<Record<string, string> | undefined> {
    const answer = await this.http.post('/weight_checker', { action: 'checksum' }, limit());
    if (answer.status === 200) return read(weightChecksumsSchema, answer).checksums;
    const error = readError(answer);
    if (isUnknownRoute(error)) return undefined;
    throw refused(error);
  }

  private async develop(path: string, body: unknown): Promise<unknown> {
    const answer = await this.http.post(path, body, limit());
    if (answer.status === 200) return answer.body;
    const error = readError(answer);
    if (isUnknownRoute(error)) {
      throw new PolicyServerMisconfigured(`it has no ${path}: set VLLM_SERVER_DEV_MODE=1, with a version that has it`);
    }
    throw refused(error);
  }
}

function adapterRefused(error: VllmError, directory: string): Error {
  if (isUnknownRoute(error)) {
    return new PolicyServerMisconfigured(
      'it loads no adapters while it runs: set VLLM_ALLOW_RUNTIME_LORA_UPDATING=True and --enable-lora',
    );
  }
  if (isUnknownModel(error)) {
    return new PolicyServerMisconfigured(
      `it does not see ${directory}: the artifact store must be at the same path on its machine (${error.message})`,
    );
  }
  if (error.message.includes('max_lora_rank')) {
    return new PolicyServerMisconfigured(`raise --max-lora-rank (${error.message})`);
  }
  if (/lora is not enabled|enable[-_]lora/i.test(error.message)) {
    return new PolicyServerMisconfigured(`start it with --enable-lora (${error.message})`);
  }
  return refused(error);
}

function read<T>(schema: z.ZodType<T>, answer: JsonAnswer): T {
  const parsed = schema.safeParse(answer.body);
  if (!parsed.success) throw new PolicyServerAnswerInvalid(issuesOf(parsed.error));
  return parsed.data;
}

function limit(): AbortSignal {
  return AbortSignal.timeout(LIMIT_MS);
}

/**
 * The base model among what is served: by its registered name, else the only one.
 * @throws PolicyServerMisconfigured
 */
export function servedBase(models: ServedModel[], registered: string): ServedModel {
  const bases = models.filter((model) => !model.parent);
  const found = bases.find((model) => model.id === registered) ?? bases[0];
  if (found === undefined || new Set(bases.map((model) => model.root ?? model.id)).size > 1) {
    const names = bases.map((model) => model.id).join(', ') || 'none';
    throw new PolicyServerMisconfigured(`it must serve one base model, ${registered}; it serves: ${names}`);
  }
  return found;
}
