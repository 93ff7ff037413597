import { mkdtempSync, readFileSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import { loadOperatorFile, OperatorFileError } from './operator-file.js';
import { PROJECT_ROOT } from './project-root.js';

function write(text: string): string {
  const path = join(mkdtempSync(join(tmpdir(), 'operator-')), 'operator.yaml');
  writeFileSync(path, text);
  return path;
}

describe(loadOperatorFile, () => {
  it('reads the file of the local stack', () => {
    const operator = loadOperatorFile(join(PROJECT_ROOT, 'infra/local/operator.yaml'));
    expect(operator.models['smollm2-135m-instruct']).toEqual({ source: 'smollm2', context: 2048 });
    expect(operator.datasets).toHaveProperty('atlas');
  });

  it('names the file and every bad field', () => {
    const path = write(
      'models: { m: { source: ../weights, context: 3 } }\ntools: []\ndatasets: [atlas]\ntimeouts: { train_heartbeat_s: 30 }\nextra: 1\n',
    );
    const load = () => loadOperatorFile(path);
    expect(load).toThrow(OperatorFileError);
    for (const part of [path, 'models.m.source', 'models.m.context', 'tools', 'extra']) expect(load).toThrow(part);
  });

  it('takes the embedded policy server, or vLLM for a registered model', () => {
    const rest = readFileSync(join(PROJECT_ROOT, 'test/support/operator.yaml'), 'utf8');
    const load = (server: string) => loadOperatorFile(write(`${rest}\n${server}`)).policy_server;
    expect(load('')).toEqual({ kind: 'embedded' });
    expect(load('policy_server: { kind: vllm, model: tiny-random, reference: /etc/m.json }')).toEqual({
      kind: 'vllm',
      model: 'tiny-random',
      reference: '/etc/m.json',
      adapters: 4,
    });
    expect(() => load('policy_server: { kind: vllm, model: n, reference: /etc/m.json }')).toThrow(/model: must be/);
    expect(() => load('policy_server: { kind: vllm, model: tiny-random, reference: m.json }')).toThrow(
      /reference: must be/,
    );
    expect(() => load('policy_server: { kind: sglang }')).toThrow(/policy_server/);
  });

  it('refuses times that cannot work, and says why', () => {
    const rest = readFileSync(join(PROJECT_ROOT, 'test/support/operator.yaml'), 'utf8');
    const load = (key: string, value: number) => () =>
      loadOperatorFile(write(rest.replace(new RegExp(`(${key}:).*`), `$1 ${value}`)));
    expect(load('call_heartbeat_s', 2)).not.toThrow();
    expect(load('call_heartbeat_s', 1)).toThrow(/call_heartbeat_s: must be at least 2/);
    expect(load('train_heartbeat_s', 0.5)).toThrow(/train_heartbeat_s: must be at least 2/);
    expect(load('call_heartbeat_s', 899)).toThrow(/call_heartbeat_s: must be at most 450/);
    expect(load('patience_s', 10)).toThrow(/patience_s: must be more than call_heartbeat_s/);
  });

  it('says that a file is not YAML, or not there', () => {
    expect(() => loadOperatorFile(write('models: ['))).toThrow(/is not YAML/);
    expect(() => loadOperatorFile('/nowhere/operator.yaml')).toThrow(/cannot be read/);
  });
});
