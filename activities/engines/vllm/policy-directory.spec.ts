import { mkdtempSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { writePolicy } from '../../../test/support/policy-directories.js';
import { PolicyDirectories } from './policy-directory.js';
import { tensorsSha256 } from './tensors-sha256.js';

describe('the directory of a policy', () => {
  let root: string;
  let directories: PolicyDirectories;
  beforeEach(() => {
    root = mkdtempSync(join(tmpdir(), 'policy directory-'));
    directories = new PolicyDirectories(pathToFileURL(root).href);
  });
  afterEach(() => rmSync(root, { recursive: true, force: true }));

  it('is given when every byte of it is what the policy and its manifest say', async () => {
    const policy = writePolicy(root, 'run-1', 12);
    expect(await directories.checked(policy, 'tiny-random')).toBe(join(root, 'runs/run-1/policies/000012'));
    expect(await directories.kind(policy)).toBe('adapter');
    expect(await directories.kind(writePolicy(root, 'run-1', 13, { full: true }))).toBe('full');
  });

  it("is given where a fork carries its parent's optimiser over, which is no part of the policy", async () => {
    const policy = writePolicy(root, 'run-1', 0, { optimizer: 'optimizer.state' });
    expect(await directories.checked(policy, 'tiny-random')).toBe(policy.path);
    writeFileSync(join(policy.path, 'optimizer.state'), 'another');
    await expect(directories.checked(policy, 'tiny-random')).rejects.toThrow('is not the file that the manifest names');
  });

  it('of whole weights holds nothing else that vLLM would load as weights', async () => {
    const policy = writePolicy(root, 'run-1', 0, { full: true, optimizer: 'optimizer.state' });
    expect(await directories.checkedWeights(policy, 'tiny-random')).toBe(policy.path);
    const before = writePolicy(root, 'run-2', 0, { full: true, optimizer: 'optimizer.safetensors' });
    await expect(directories.checkedWeights(before, 'tiny-random')).rejects.toThrow(
      expect.objectContaining({ type: 'BadConfiguration', nonRetryable: true }),
    );
    await expect(directories.checkedWeights(before, 'tiny-random')).rejects.toThrow('optimizer.safetensors');
    // As an adapter vLLM reads it by the name of its file.
    const adapter = writePolicy(root, 'run-3', 0, { optimizer: 'optimizer.safetensors' });
    expect(await directories.checked(adapter, 'tiny-random')).toBe(adapter.path);
    for (const stray of ['pytorch_model.bin', 'consolidated.pt', 'other.safetensors']) {
      writeFileSync(join(policy.path, stray), '');
      await expect(directories.checkedWeights(policy, 'tiny-random')).rejects.toThrow(stray);
      rmSync(join(policy.path, stray));
    }
  });

  it('has the sha256 that the trainer computes: recorded from flow_grpo.policy.tensors_sha256', async () => {
    const { path } = writePolicy(root, 'run-1', 12);
    expect(await tensorsSha256([join(path, 'adapter_model.safetensors')])).toBe(
      '41da1b195ab6fce740c985a4ea584153bc272c37267b19fe821425b35474fb57',
    );
  });

  it.each([
    ['cut off', (file: string) => truncateSync(file, 90)],
    ['empty', (file: string) => truncateSync(file, 0)],
    ['another file', (file: string) => writeFileSync(file, 'not a safetensors file at all')],
  ])('is refused when its tensors are %s', async (_, damage) => {
    const policy = writePolicy(root, 'run-1', 12);
    damage(join(policy.path, 'adapter_model.safetensors'));
    await expect(directories.checked(policy, 'tiny-random')).rejects.toThrow(
      expect.objectContaining({ name: 'PolicyNotThere' }),
    );
  });

  it('is refused when its tensors are those of another policy (I11)', async () => {
    const [policy, other] = [writePolicy(root, 'run-1', 12), writePolicy(root, 'run-1', 13)];
    await expect(directories.checked({ name: other.name, sha256: policy.sha256 }, 'tiny-random')).rejects.toThrow(
      `holds sha256 ${other.sha256}`,
    );
  });

  it.each(['../../etc@1', 'run@-1', 'run', 'run@1/../2', 'a/b@1'])(
    'is not sought for the name %s (I12)',
    async (name) => {
      await expect(directories.kind({ name, sha256: 'a'.repeat(64) })).rejects.toThrow(
        'is named <training run>@<step>',
      );
    },
  );
});
