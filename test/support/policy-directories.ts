import { createHash } from 'node:crypto';
import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { sha256Hex } from '../../infra/artifacts/sha256.js';

export interface WrittenPolicy {
  name: string;
  sha256: string;
  path: string;
}

export interface PolicyContent {
  baseModel?: string;
  rank?: number;
  /** Whole weights instead of an adapter. */
  full?: boolean;
  /** The file with an optimiser's state beside it: of policy 0 of a fork that carries its parent's over. */
  optimizer?: 'optimizer.state' | 'optimizer.safetensors';
}

/** Writes a policy as the trainer does: one small tensor, its values made from the name. */
export function writePolicy(root: string, run: string, step: number, content: PolicyContent = {}): WrittenPolicy {
  const { baseModel = 'tiny-random', rank = 8, full = false, optimizer } = content;
  const path = join(root, 'runs', run, 'policies', String(step).padStart(6, '0'));
  const name = `${run}@${step}`;
  const data = createHash('sha256').update(name).digest();
  const tensors = safetensors('a.weight', [2, 4], data);
  const sha256 = sha256Hex(Buffer.concat([Buffer.from('a.weight\0F32\x002,4\0'), data]));
  const config = JSON.stringify({ peft_type: 'LORA', r: rank, base_model_name_or_path: baseModel });
  const files: Record<string, Buffer | string> = full
    ? { 'model.safetensors': tensors }
    : { 'adapter_model.safetensors': tensors, 'adapter_config.json': config };
  if (optimizer) files[optimizer] = safetensors('exp_avg.a.weight', [2, 4], data);
  const sums = Object.fromEntries(Object.entries(files).map(([file, bytes]) => [file, sha256Hex(bytes)]));
  rmSync(path, { recursive: true, force: true });
  mkdirSync(path, { recursive: true });
  for (const [file, bytes] of Object.entries(files)) writeFileSync(join(path, file), bytes);
  writeFileSync(join(path, 'manifest.json'), JSON.stringify({ policy_sha256: sha256, files: sums }));
  return { name, sha256, path };
}

function safetensors(name: string, shape: number[], data: Buffer): Buffer {
  const header = JSON.stringify({ [name]: { dtype: 'F32', shape, data_offsets: [0, data.length] } });
  const size = Buffer.alloc(8);
  size.writeBigUInt64LE(BigInt(header.length));
  return Buffer.concat([size, Buffer.from(header), data]);
}
