import { mkdtempSync, readFileSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import { loadOperatorFile, type OperatorFile } from './operator-file.js';
import { PROJECT_ROOT } from './project-root.js';

const BASE = readFileSync(join(PROJECT_ROOT, 'test/support/operator.yaml'), 'utf8');

function load(sections: string): OperatorFile {
  const path = join(mkdtempSync(join(tmpdir(), 'operator-')), 'operator.yaml');
  writeFileSync(path, `${BASE}\n${sections}`);
  return loadOperatorFile(path);
}

describe('tools in the operator file', () => {
  it('have defaults: a small sandbox, no MCP server, no user tools', () => {
    const { python, mcp_servers, user_tools } = load('');
    expect(python).toEqual({ interpreters: 2, memory_mb: 512, time_s: 10 });
    expect(mcp_servers).toEqual({});
    expect(user_tools).toBeUndefined();
  });

  it('are registered with limits, commands, addresses and places of keys', () => {
    const { python, mcp_servers, user_tools } = load(`
python: { interpreters: 8 }
mcp_servers:
  files: { command: mcp-files, args: [--root, /data], env: { TOKEN: { env: FILES_TOKEN } } }
  web: { url: 'https://mcp.example/mcp', key: { file: /run/secrets/mcp }, timeout_s: 5 }
user_tools: { directory: /srv/tools }`);
    expect(python).toEqual({ interpreters: 8, memory_mb: 512, time_s: 10 });
    expect(mcp_servers.files).toMatchObject({ command: 'mcp-files', timeout_s: 60 });
    expect(mcp_servers.web).toMatchObject({ timeout_s: 5, key: { file: '/run/secrets/mcp' } });
    expect(user_tools).toEqual({ directory: '/srv/tools', processes: 4, memory_mb: 1024, env: {} });
  });

  it.each([
    ['python: { memory_mb: 8192 }', /python\.memory_mb/],
    ['python: { shell: /bin/sh }', /python/],
    ['user_tools: { directory: tools }', /user_tools\.directory: must be an absolute path/],
    ['user_tools: { directory: /srv/tools, memory_mb: 1 }', /user_tools\.memory_mb/],
    ['mcp_servers: { files: { url: not-a-url } }', /mcp_servers\.files/],
  ])('are not %s', (sections, message) => {
    expect(() => load(sections)).toThrow(message);
  });

  it('names the section that the index of passages needs', () => {
    const path = join(mkdtempSync(join(tmpdir(), 'operator-')), 'operator.yaml');
    const text = BASE.replace(/^tools: .*$/m, 'tools: [calculator, passages]');
    writeFileSync(path, text);
    expect(() => loadOperatorFile(path)).toThrow(/tools\.1: "passages" needs the section passages/);
    writeFileSync(path, `${text}\npassages: { index: hotpotqa }`);
    expect(() => loadOperatorFile(path)).toThrow(/passages\.index: must be an absolute path/);
    writeFileSync(path, `${text}\npassages: { index: /data/hotpotqa }`);
    expect(loadOperatorFile(path).passages).toEqual({ index: '/data/hotpotqa', search: 'bm25', results: 5 });
  });

  it('names the section that a search by vectors needs, and keeps the white space of prefixes', () => {
    const passages = 'passages: { index: /data/hotpotqa, search: dense }';
    expect(() => load(passages)).toThrow(/passages\.search: "dense" needs the section embeddings/);
    const embeddings = `embeddings: { url: 'http://127.0.0.1:8080/v1', model: e5, query_prefix: 'query: ' }`;
    expect(load(`${passages}\n${embeddings}`).embeddings).toEqual({
      url: 'http://127.0.0.1:8080/v1',
      model: 'e5',
      query_prefix: 'query: ',
      passage_prefix: '',
    });
  });

  it('names the server that a tool needs', () => {
    const path = join(mkdtempSync(join(tmpdir(), 'operator-')), 'operator.yaml');
    writeFileSync(path, BASE.replace(/^tools: .*$/m, 'tools: [calculator, files.read]'));
    expect(() => loadOperatorFile(path)).toThrow(/tools\.1: "files\.read" is a tool of an MCP server "files"/);
  });

  it.each([
    ['[calculator, lookup, calculator]', /line 5: tools\.2: "calculator" is named twice/],
    ['[a.b_c, calculator, a.b.c]', /line 5: tools\.2: "a\.b\.c" and "a\.b_c" are both called a_b_c in prompts/],
  ])('names the line of a tool that cannot be told from another: %s', (tools, message) => {
    const path = join(mkdtempSync(join(tmpdir(), 'operator-')), 'operator.yaml');
    writeFileSync(path, `${BASE.replace(/^tools: .*$/m, `tools: ${tools}`)}\nmcp_servers: { a: { command: x } }`);
    expect(() => loadOperatorFile(path)).toThrow(message);
  });
});
