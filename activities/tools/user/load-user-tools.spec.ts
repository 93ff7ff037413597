import { mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import { PROJECT_ROOT } from '../../../infra/config/project-root.js';
import { runTool } from '../run-tool.js';
import type { Tool, ToolContext, ToolOutcome } from '../tool.js';
import { ToolRegistry } from '../tool-registry.js';
import { loadUserTools, UserToolError } from './load-user-tools.js';

const GOOD = {
  name: "'echo'",
  description: "'says it again'",
  schema: "{ type: 'object', properties: { text: { type: 'string' } }, required: ['text'] }",
  execute: '({ text }) => text',
};

function folderOf(files: Record<string, string>): string {
  const directory = mkdtempSync(join(tmpdir(), 'user-tools-'));
  for (const [name, content] of Object.entries(files)) writeFileSync(join(directory, name), content);
  return directory;
}

function moduleOf(exported: Record<string, string>): string {
  return Object.entries(exported)
    .map(([name, value]) => `export const ${name} = ${value};`)
    .join('\n');
}

async function load(changes: Record<string, string>): Promise<Tool> {
  const [tool] = await loadUserTools(folderOf({ 'tool.mjs': moduleOf({ ...GOOD, ...changes }) }));
  return tool;
}

function call(tool: Tool, input: unknown): Promise<ToolOutcome> {
  const signal = new AbortController().signal;
  return runTool(tool, input, {
    flowId: 'f',
    turn: 1,
    dataset: { name: 'atlas', seed: 7 },
    seed: '9',
    signal,
  } as ToolContext);
}

describe(loadUserTools, () => {
  it('loads the example, which counts days', async () => {
    const [tool] = await loadUserTools(join(PROJECT_ROOT, 'examples/tools'));
    expect(tool).toMatchObject({ name: 'days_between', title: 'days_between', timeoutMs: 60_000 });
    expect(await call(tool, { from: '2024-02-28', to: '2024-03-01' })).toEqual({ result: '2 days' });
    expect(await call(tool, { from: '2024-03-01', to: '2024-02-28' })).toMatchObject({ kind: 'failed' });
    for (const input of [{}, { from: 'yesterday', to: '2024-03-01' }, { from: '2024-02-30', to: '2024-03-01' }]) {
      expect(await call(tool, input)).toMatchObject({ kind: 'invalid_arguments' });
    }
  });

  it('takes the modules of a folder in the order of their names, and nothing else of it', async () => {
    const directory = folderOf({
      'b.mjs': moduleOf({ ...GOOD, name: "'second'" }),
      'a.mjs': moduleOf({ ...GOOD, name: "'first'", title: "'First_One'", timeout_s: '5' }),
      'README.md': 'no tool',
    });
    const tools = await loadUserTools(directory);
    expect(tools.map(({ name, title, timeoutMs }) => [name, title, timeoutMs])).toEqual([
      ['first', 'First_One', 5_000],
      ['second', 'second', 60_000],
    ]);
  });

  it('shows values as JSON, hands on seed and signal, and lets outages through', async () => {
    expect(await call(await load({ execute: '() => ({ a: [1] })' }), { text: '' })).toEqual({ result: '{"a":[1]}' });
    const told = await load({ execute: '(_, { seed, signal }) => `${seed} ${signal.aborted}`' });
    expect(await call(told, { text: '' })).toEqual({ result: '9 false' });
    const down = await load({ execute: "async () => { throw new Error('down'); }" });
    await expect(call(down, { text: '' })).rejects.toThrow('down');
    const hanging = await load({ execute: '() => new Promise(() => {})', timeout_s: '1' });
    await expect(call(hanging, { text: '' })).rejects.toThrow(/echo did not answer within 1000 ms/);
  });

  it.each<[string, Record<string, string>, RegExp]>([
    ['a bad name', { name: "'Echo Tool'" }, /name: must be lower-case/],
    ['a name like a tool of an MCP server', { name: "'files.echo'" }, /name: must have no dot/],
    ['no description', { description: "''" }, /description: must be one line/],
    ['two lines of description', { description: '"a\\nb"' }, /description: must be one line/],
    ['a schema of something else', { schema: "{ type: 'string' }" }, /schema/],
    ['a schema that makes no sense', { schema: "{ type: 'object', properties: { a: { type: 'text' } } }" }, /schema/],
    ['an execute that is no function', { execute: '7' }, /execute: must be a function/],
    ['a timeout of nothing', { timeout_s: '0' }, /timeout_s/],
  ])('names file and reason of %s', async (_, changes, reason) => {
    const failure = await load(changes).catch((error: unknown) => error as Error);
    expect(failure).toBeInstanceOf(UserToolError);
    expect((failure as Error).message).toMatch(/tool\.mjs/);
    expect((failure as Error).message).toMatch(reason);
  });

  it('names file and reason where a module cannot be loaded, and a folder that is not there', async () => {
    const broken = folderOf({ 'broken.mjs': 'export const name = ;' });
    await expect(loadUserTools(broken)).rejects.toThrow(/broken\.mjs: cannot be loaded: SyntaxError/);
    const throwing = folderOf({ 'throwing.mjs': "throw new Error('not today');" });
    await expect(loadUserTools(throwing)).rejects.toThrow(/throwing\.mjs: cannot be loaded: .*not today/);
    await expect(loadUserTools('/nowhere/tools')).rejects.toThrow(/\/nowhere\/tools: .*cannot be read/);
  });

  it('may not take the name or the title of another tool', async () => {
    const [one, other] = [await load({}), await load({ name: "'other'", title: "'ECHO'" })];
    expect(() => new ToolRegistry([one, other])).toThrow('The tools echo and other are both called echo.');
  });
});
