import { mkdtempSync, readFileSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import { loadOperatorFile } from '../operator-file.js';
import { PROJECT_ROOT } from '../project-root.js';
import { readWebToolSettings } from './web-tools.js';

const LOCAL = readFileSync(join(PROJECT_ROOT, 'infra/local/operator.yaml'), 'utf8');

function load(tools: string, sections: string) {
  const path = join(mkdtempSync(join(tmpdir(), 'operator-')), 'operator.yaml');
  writeFileSync(path, `${LOCAL.replace(/^tools: .*$/m, `tools: [${tools}]`)}\n${sections}\n`);
  return loadOperatorFile(path);
}

describe('the sections of the web tools in the operator file', () => {
  it('have defaults, and name the places of keys that are read at the start', () => {
    const operator = load(
      'web_search, web_reader, wikipedia',
      'web_search: { backend: brave, key: { env: BRAVE_KEY } }\nweb_access: { user_agent: me }',
    );
    expect(readWebToolSettings(operator, { BRAVE_KEY: 'key-of-brave' })).toEqual({
      search: { backend: 'brave', key: 'key-of-brave', url: 'https://api.search.brave.com' },
      access: { user_agent: 'me', deny: [], ports: [80, 443], addresses: [], max_mib: 10, timeout_s: 20 },
      wikipedia: { languages: ['en'], url: 'https://{language}.wikipedia.org/w/api.php' },
    });
    expect(() => readWebToolSettings(operator, {})).toThrow(/No key in the environment variable BRAVE_KEY/);
  });

  it.each([
    ['web_search', '', /tools\.\d+: "web_search" needs the section web_search/],
    ['web_reader', '', /"web_reader" needs the section web_access/],
    ['wikipedia', '', /"wikipedia" needs the section web_access/],
    ['calculator', 'web_search: { backend: bing, key: { env: K } }', /web_search\.backend/],
    ['calculator', 'web_search: { backend: tavily, key: sk-the-key-itself }', /web_search\.key: must be \{ env/],
    ['calculator', 'web_search: { backend: searxng }', /web_search\.url/],
    [
      'calculator',
      'web_access: { user_agent: me, addresses: [10.0.0.1] }',
      /web_access\.addresses\.0: must be a range/,
    ],
    ['calculator', 'web_access: { user_agent: me, deny: ["*.example.org"] }', /web_access\.deny\.0: must be a host/],
    ['calculator', 'web_access: { user_agent: "" }', /web_access\.user_agent/],
    ['calculator', 'wikipedia: { languages: [en/evil] }', /wikipedia\.languages\.0/],
    ['calculator', 'embeddings: { url: ftp://x, model: m }', /embeddings\.url/],
  ])('say which field is wrong: %s, %s', (tools, sections, message) => {
    expect(() => load(tools, sections)).toThrow(message);
  });
});
