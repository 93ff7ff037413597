import { mkdtempSync, readFileSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import { loadOperatorFile } from '../operator-file.js';
import { PROJECT_ROOT } from '../project-root.js';

const EXAMPLE = join(PROJECT_ROOT, 'examples/operator/language-models.yaml');
const REST = readFileSync(join(PROJECT_ROOT, 'test/support/operator.yaml'), 'utf8');

function load(sections: string) {
  const path = join(mkdtempSync(join(tmpdir(), 'operator-')), 'operator.yaml');
  writeFileSync(path, `${REST}\n${sections}`);
  return loadOperatorFile(path);
}

describe('providers and language models of the operator’s file', () => {
  it('takes the example, with a provider of every kind', () => {
    const { providers, language_models: models } = loadOperatorFile(EXAMPLE);
    const kinds = new Set(Object.values(providers).map(({ kind }) => kind));
    const hosted = ['openai', 'anthropic', 'google', 'azure', 'xai', 'deepseek', 'together', 'bedrock'];
    expect(kinds).toEqual(new Set([...hosted, 'openai-compatible']));
    expect(models.gpt).toMatchObject({ provider: 'openai', output: 'json-schema', price: { input: 0.4 } });
  });

  it('needs neither', () => {
    expect(load('')).toMatchObject({ providers: {}, language_models: {} });
  });

  it.each([
    [
      'a model of no provider',
      'language_models: { m: { provider: p, model: m, context: 100, output: text } }',
      /"p" must/,
    ],
    ['a key in the file', 'providers: { p: { kind: openai, key: sk-secret } }', /providers\.p\.key: must be/],
    [
      'a key in the address',
      'providers: { p: { kind: openai-compatible, base_url: "http://u:k@h/v1" } }',
      /no password/,
    ],
    ['an address that is none', 'providers: { p: { kind: openai-compatible, base_url: "file:///etc" } }', /http/],
    ['a kind that is none', 'providers: { p: { kind: openia, key: { env: KEY } } }', /providers\.p/],
    ['a missing key', 'providers: { p: { kind: anthropic } }', /providers\.p\.key/],
    [
      'a mode that the provider lacks',
      `providers: { p: { kind: anthropic, key: { env: KEY } } }
language_models: { m: { provider: p, model: m, context: 100, output: json } }`,
      /language_models\.m\.output: anthropic has no mode for JSON without a schema: json-schema or text/,
    ],
  ])('refuses %s (I12)', (_, sections, message) => {
    expect(() => load(sections)).toThrow(message);
  });
});
