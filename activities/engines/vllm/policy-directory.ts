import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { ApplicationFailure } from '@temporalio/common';
import { z } from 'zod';
import { FailureType } from '../../../contracts/failures.js';
import { sha256Hex } from '../../../infra/artifacts/sha256.js';
import { nonRetryable } from '../../failures/non-retryable.js';
import { isOutage } from '../../failures/outage.js';
import { PolicyUnusable } from '../policy-errors.js';
import { tensorsSha256 } from './tensors-sha256.js';

/** A policy of a training run, by name and content. */
export interface PolicyRef {
  /** `<training run>@<step>`. */
  name: string;
  sha256: string;
}

/** Thrown when a policy is not in the artifact store, or is not what its name and sha256 say: never replaced. */
export class PolicyNotThere extends PolicyUnusable {
  override name = 'PolicyNotThere';
  constructor(policy: PolicyRef, reason: string) {
    super(`The policy ${policy.name} with sha256 ${policy.sha256} cannot be loaded: ${reason}`);
  }
}

const MANIFEST = 'manifest.json';
const ADAPTER_CONFIG = 'adapter_config.json';
const FULL_WEIGHTS = 'model.safetensors';
const WEIGHTS = ['adapter_model.safetensors', FULL_WEIGHTS];
/** The files of a directory that vLLM loads as weights of a model, whatever they are. */
const TAKEN_FOR_WEIGHTS = /\.(safetensors|bin|pt)$/;
const POLICY_NAME = /^([A-Za-z0-9][A-Za-z0-9._-]{0,127})@(0|[1-9][0-9]{0,8})$/;
const fileName = z.string().regex(/^[A-Za-z0-9][\w.-]*$/);
const manifestSchema = z.object({ policy_sha256: z.string(), files: z.record(fileName, z.string()) });
const adapterSchema = z.object({ base_model_name_or_path: z.string() });

type Manifest = z.infer<typeof manifestSchema>;

/** Directories of policies in the artifact store, seen by the policy server under the same paths. */
export class PolicyDirectories {
  private readonly root: string;

  /** @param artifacts root of the store, `file:///absolute/directory` */
  constructor(artifacts: string) {
    this.root = fileURLToPath(artifacts);
  }

  /**
   * Whether a policy is a LoRA adapter or the weights of the whole model.
   * @throws PolicyNotThere
   */
  async kind(policy: PolicyRef): Promise<'adapter' | 'full'> {
    const manifest = await this.guard(policy, () => this.manifest(policy));
    return ADAPTER_CONFIG in manifest.files ? 'adapter' : 'full';
  }

  /**
   * The directory of a whole model's weights, checked as `checked` does, with nothing in it that vLLM would load beside
   * them.
   * @throws as `checked`; failure BadConfiguration
   */
  async checkedWeights(policy: PolicyRef, baseModel: string): Promise<string> {
    const path = await this.checked(policy, baseModel);
    const beside = (await readdir(path)).filter((name) => TAKEN_FOR_WEIGHTS.test(name) && name !== FULL_WEIGHTS);
    if (beside.length === 0) return path;
    throw nonRetryable(
      FailureType.BadConfiguration,
      `${policy.name} cannot be served by vLLM, which would load ${beside.join(', ')} beside its weights: earlier ` +
        'versions put the optimiser of a fork there. Use the embedded policy server, or fork its parent anew',
    );
  }

  /**
   * The policy's directory, every byte of it checked: the sha256 of the tensors is the policy's, and each other file
   * has the sha256 that the manifest names.
   * @param baseModel registered name of the model that an adapter must belong to
   * @throws PolicyNotThere; failure WrongIdentity
   */
  async checked(policy: PolicyRef, baseModel: string): Promise<string> {
    return this.guard(policy, async () => {
      const path = this.path(policy);
      const { files } = await this.manifest(policy);
      const names = Object.keys(files);
      const tensors = names.filter((name) => WEIGHTS.includes(name));
      const found = await tensorsSha256(tensors.map((name) => join(path, name)));
      if (found !== policy.sha256) throw new PolicyNotThere(policy, `the tensors in ${path} have sha256 ${found}`);
      for (const name of names.filter((other) => !tensors.includes(other))) {
        const content = await readFile(join(path, name));
        if (sha256Hex(content) !== files[name]) {
          throw new PolicyNotThere(policy, `${join(path, name)} is not the file that the manifest names`);
        }
        if (name === ADAPTER_CONFIG) checkBaseModel(content, policy, baseModel);
      }
      return path;
    });
  }

  private path(policy: PolicyRef): string {
    const parts = POLICY_NAME.exec(policy.name);
    if (!parts) throw new PolicyNotThere(policy, 'a policy is named <training run>@<step>');
    return join(this.root, 'runs', parts[1], 'policies', parts[2].padStart(6, '0'));
  }

  private async manifest(policy: PolicyRef): Promise<Manifest> {
    const path = this.path(policy);
    const manifest = manifestSchema.parse(JSON.parse(await readFile(join(path, MANIFEST), 'utf8')));
    if (manifest.policy_sha256 === policy.sha256) return manifest;
    throw new PolicyNotThere(policy, `${path} holds sha256 ${manifest.policy_sha256}`);
  }

  private async guard<T>(policy: PolicyRef, work: () => Promise<T>): Promise<T> {
    try {
      return await work();
    } catch (error) {
      if (error instanceof PolicyNotThere || error instanceof ApplicationFailure || isOutage(error)) throw error;
      throw new PolicyNotThere(policy, error instanceof Error ? error.message : String(error));
    }
  }
}

function checkBaseModel(config: Buffer, policy: PolicyRef, expected: string): void {
  const { base_model_name_or_path: found } = adapterSchema.parse(JSON.parse(config.toString()));
  if (found === expected) return;
  throw nonRetryable(FailureType.WrongIdentity, `${policy.name} belongs to ${found}, and vLLM serves ${expected}`);
}
