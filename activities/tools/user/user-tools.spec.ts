import { existsSync, mkdtempSync, readFileSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, describe, expect, it, jest } from '@jest/globals';
import { userToolsSection, type UserToolsSection } from '../../../infra/config/operator/user-tools.js';
import { PROJECT_ROOT } from '../../../infra/config/project-root.js';
import { waitUntil } from '../../../infra/local/process-group.js';
import { isOutage } from '../../failures/outage.js';
import { callTool, runTool } from '../run-tool.js';
import { toolContext } from '../testing/tool-context.js';
import type { Tool, ToolOutcome } from '../tool.js';
import { ToolRegistry } from '../tool-registry.js';
import { openUserTools, UserToolError, type UserTools } from './user-tools.js';

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

const opened: UserTools[] = [];
afterEach(() => opened.splice(0).forEach((tools) => tools.close()));

async function loadFolder(directory: string, limits: Partial<UserToolsSection> = {}): Promise<Tool[]> {
  const tools = await openUserTools(userToolsSection.parse({ directory, ...limits })!);
  opened.push(tools);
  return tools.tools;
}

async function load(changes: Record<string, string>, limits?: Partial<UserToolsSection>): Promise<Tool> {
  const [tool] = await loadFolder(folderOf({ 'tool.mjs': moduleOf({ ...GOOD, ...changes }) }), limits);
  return tool;
}

const call = (tool: Tool, input: unknown, signal?: AbortSignal): Promise<ToolOutcome> =>
  runTool(tool, input, toolContext({ seed: '9', ...(signal && { signal }) }));

describe(openUserTools, () => {
  it('loads the example, which counts days', async () => {
    const [tool] = await loadFolder(join(PROJECT_ROOT, 'examples/tools'));
    expect(tool).toMatchObject({ name: 'days_between', title: 'days_between', timeoutMs: 160_000, repeatable: true });
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
    const tools = await loadFolder(directory);
    expect(tools.map(({ name, title, timeoutMs }) => [name, title, timeoutMs])).toEqual([
      ['first', 'First_One', 50_000],
      ['second', 'second', 160_000],
    ]);
  });

  it('shows values as JSON, hands on seed and signal, and lets outages through', async () => {
    expect(await call(await load({ execute: '() => ({ a: [1] })' }), { text: '' })).toEqual({ result: '{"a":[1]}' });
    const told = await load({ execute: '(_, { seed, signal }) => `${seed} ${signal.aborted}`' });
    expect(await call(told, { text: '' })).toEqual({ result: '9 false' });
    const down = await load({ execute: "async () => { throw new Error('down'); }" });
    await expect(call(down, { text: '' })).rejects.toThrow('down');
    const hostile =
      "() => { throw Object.assign(new Error(), { name: 'ToolMistake', message: 'x'.repeat(5e7), code: 'y'.repeat(5e7) }); }";
    const long = await call(await load({ execute: hostile }), { text: '' });
    expect(long).toMatchObject({ kind: 'failed' });
    expect(JSON.stringify(long).length).toBeLessThan(20_000);
    const wordless = await load({ execute: "() => { throw { toString() { throw new Error('no words'); } }; }" });
    await expect(call(wordless, { text: '' })).rejects.toThrow();
    const hanging = await load({ execute: '() => new Promise(() => {})', timeout_s: '1' });
    await expect(call(hanging, { text: '' })).rejects.toThrow(/echo did not answer within 1000 ms/);
  });

  it.each<[string, Record<string, string>, RegExp]>([
    ['a bad name', { name: "'Echo Tool'" }, /name: must be at most 64 lower-case/],
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
    await expect(loadFolder(broken)).rejects.toThrow(/broken\.mjs: cannot be loaded: SyntaxError/);
    const throwing = folderOf({ 'throwing.mjs': "throw new Error('not today');" });
    await expect(loadFolder(throwing)).rejects.toThrow(/throwing\.mjs: cannot be loaded: .*not today/);
    const exiting = folderOf({ 'a.mjs': moduleOf(GOOD), 'exiting.mjs': 'process.exit(7);' });
    await expect(loadFolder(exiting)).rejects.toThrow(/exiting\.mjs: .* ended while loading: exit code 7/);
    await expect(loadFolder('/nowhere/tools')).rejects.toThrow(/\/nowhere\/tools: .*cannot be read/);
  });

  it('may not take the name or the title of another tool', async () => {
    const [one, other] = [await load({}), await load({ name: "'other'", title: "'ECHO'" })];
    expect(() => new ToolRegistry([one, other])).toThrow('The tools echo and other are both called echo.');
  });
});

describe('a user tool with faults', () => {
  /** Four tools in one folder, with a note in a file of every run, and its process. */
  const KINDS: Record<string, string> = {
    exits: '() => process.exit(3)',
    waits: 'async ({ ms = 0 }) => { await new Promise((end) => setTimeout(end, ms)); return String(process.pid); }',
    strays: "({ text }) => { setTimeout(() => { throw new Error('too late'); }, 20); return text; }",
    rejects: "async () => { void Promise.reject(new Error('nobody listens')); await new Promise(() => {}); }",
    loops: '() => { for (;;); }',
    hoards: '() => { const held = []; for (;;) held.push({ a: [held.length] }); }',
    fills: 'async () => { const held = []; for (;;) { held.push(Buffer.alloc(2 ** 24, 1)); await null; } }',
    dies: "() => process.kill(process.pid, 'SIGKILL')",
    floods: "() => 'x'.repeat(5 * 1024 * 1024)",
    unreachable:
      "() => { throw Object.assign(new Error('no'), { cause: Object.assign(new Error('c'), { code: 'ECONNREFUSED' }) }); }",
  };

  interface Fixture {
    tools: Record<string, Tool>;
    /** How often a tool has been run. */
    runs(name: string): number;
  }

  async function fixture(limits: Partial<UserToolsSection> = {}, more: Record<string, string> = {}): Promise<Fixture> {
    const directory = folderOf(
      Object.fromEntries(
        Object.entries(KINDS).map(([name, execute]) => {
          const noted = `(input, context) => { fs.appendFileSync(import.meta.filename + '.runs', '.'); return (${execute})(input, context); }`;
          const exported = {
            name: `'${name}'`,
            description: "'has a fault'",
            schema: "{ type: 'object' }",
            timeout_s: '2',
            repeatable: 'true',
            ...more,
          };
          return [`${name}.mjs`, `import fs from 'node:fs';\n${moduleOf({ ...exported, execute: noted })}`];
        }),
      ),
    );
    const tools = await loadFolder(directory, limits);
    const runs = (name: string) => readRuns(join(directory, `${name}.mjs.runs`));
    return { tools: Object.fromEntries(tools.map((tool) => [tool.name, tool])), runs };
  }

  const readRuns = (path: string): number => (existsSync(path) ? readFileSync(path, 'utf8').length : 0);

  it('is told to the planner when it ends its process; the worker and the next calls go on', async () => {
    const { tools, runs } = await fixture();
    const words = 'the tool ended the process that it runs in (exit code 3)';
    expect(await call(tools.exits, {})).toEqual({ kind: 'failed', mistake: words });
    expect(runs('exits')).toBe(1);
    expect(await call(tools.waits, {})).toEqual({ result: expect.stringMatching(/^\d+$/) });
  });

  it('I15: is not run again by the death of its process if it may not be repeated: its outcome is not known', async () => {
    const { tools, runs } = await fixture({}, { repeatable: 'false' });
    const note = { begin: async () => true, withdraw: () => Promise.reject(new Error('withdrawn')) };
    const outcome = await callTool(tools.exits, {}, toolContext(), note);
    expect(outcome).toMatchObject({ kind: 'outcome_unknown', reason: expect.stringMatching(/exit code 3/) });
    expect(runs('exits')).toBe(1);
  });

  it('takes no call of another flow along: one that was open beside it is made again, in a process of its own', async () => {
    const { tools, runs } = await fixture({ processes: 1 });
    const beside = [call(tools.waits, { ms: 700 }), call(tools.waits, { ms: 700 })];
    await waitUntil(() => runs('waits') === 2, 60_000);
    expect(await call(tools.exits, {})).toMatchObject({ kind: 'failed' });
    const pids = await Promise.all(beside);
    expect(new Set(pids.map(({ result }) => result)).size).toBe(2);
    expect([runs('waits'), runs('exits')]).toEqual([4, 2]);
  });

  it('keeps its result if it throws after it has returned; calls beside it end well, later ones get another process', async () => {
    const { tools, runs } = await fixture({ processes: 1 });
    const beside = call(tools.waits, { ms: 500 });
    await waitUntil(() => runs('waits') === 1, 60_000);
    expect(await call(tools.strays, { text: 'returned' })).toEqual({ result: 'returned' });
    const { result: before } = await beside;
    const { result: after } = await call(tools.waits, {});
    expect(after).not.toBe(before);
    expect(runs('waits')).toBe(2);
  });

  it('fails with the error that it has left to nobody', async () => {
    const { tools } = await fixture();
    await expect(call(tools.rejects, {})).rejects.toThrow('nobody listens');
  });

  it('is stopped when it loops for ever, and told so', async () => {
    const { tools } = await fixture();
    expect(await call(tools.loops, {})).toEqual({
      kind: 'time_limit',
      mistake: 'the tool was still computing after 7 s, and was stopped',
    });
  });

  it.each(['hoards', 'fills'])('is stopped at the limit of memory: %s', async (name) => {
    // Of a worker whose log says "heap out of memory", jest believes that it has crashed.
    const log = jest.spyOn(process.stderr, 'write').mockReturnValue(true);
    try {
      const { tools } = await fixture({ memory_mb: 96 });
      expect(await call(tools[name], {})).toEqual({
        kind: 'memory_limit',
        mistake: 'the tool needed more than 96 MB of memory, and was stopped',
      });
    } finally {
      log.mockRestore();
    }
  });

  it('I2: is an outage when its process is ended from outside, or what it asks is not there', async () => {
    const { tools } = await fixture();
    for (const name of ['dies', 'unreachable']) {
      const error = await call(tools[name], {}).catch((thrown: unknown) => thrown);
      expect([name, isOutage(error)]).toEqual([name, true]);
    }
  });

  it('I16: gives back no more than is represented whole', async () => {
    const { tools } = await fixture();
    expect(await call(tools.floods, {})).toMatchObject({ kind: 'output_limit' });
  });

  it('shares a few processes among many calls', async () => {
    const { tools } = await fixture({ processes: 2 });
    const outcomes = await Promise.all(Array.from({ length: 60 }, () => call(tools.waits, { ms: 300 })));
    const pids = new Set(outcomes.map(({ result }) => result));
    expect(pids.size).toBe(2);
    expect(pids).not.toContain(String(process.pid));
  });

  it('is told of a cancelled call through its signal', async () => {
    const directory = folderOf({});
    const path = join(directory, 'told');
    const execute = `(_, { signal }) => new Promise((end) => signal.addEventListener('abort', () => { fs.writeFileSync(${JSON.stringify(path)}, signal.reason.message); end(''); }))`;
    writeFileSync(join(directory, 'tool.mjs'), `import fs from 'node:fs';\n${moduleOf({ ...GOOD, execute })}`);
    const [tool] = await loadFolder(directory);
    const controller = new AbortController();
    const running = call(tool, { text: '' }, controller.signal);
    const failure = expect(running).rejects.toThrow('the flow was cancelled');
    setTimeout(() => controller.abort(new Error('the flow was cancelled')), 200);
    await failure;
    expect(await waitUntil(() => existsSync(path) && readFileSync(path, 'utf8') !== '', 60_000)).toBe(true);
    expect(readFileSync(path, 'utf8')).toBe('the flow was cancelled');
  });

  it('I6: writes no key into the worker’s log, and gives none back', async () => {
    const key = 'key-of-a-user-tool-0123';
    process.env.USER_TOOL_KEY = key;
    const env = { TOOL_KEY: { env: 'USER_TOOL_KEY' } };
    const written = jest.spyOn(process.stdout, 'write').mockReturnValue(true);
    const execute = '() => { console.log(process.env.TOOL_KEY, "is the key"); return process.env.TOOL_KEY; }';
    const outcome = await call(await load({ execute }, { env }), { text: '' });
    const log = () => written.mock.calls.map(([text]) => String(text)).join('');
    await waitUntil(() => log().includes('is the key'), 60_000);
    const said = log();
    written.mockRestore();
    expect(outcome).toEqual({ result: '***' });
    expect(said).toContain('*** is the key');
    expect(said).not.toContain(key);
  });

  it('I6: is given its own keys and nothing else of the worker’s environment', async () => {
    process.env.USER_TOOL_KEY = 'key-of-a-user-tool-0123';
    process.env.OTHER_KEY_OF_THE_WORKER = 'not-for-the-tool';
    const execute = '() => Object.keys(process.env)';
    const tool = await load({ execute }, { env: { TOOL_KEY: { env: 'USER_TOOL_KEY' } } });
    const { result } = await call(tool, { text: '' });
    const names = JSON.parse(result!) as string[];
    expect(names).toEqual(expect.arrayContaining(['PATH', 'TOOL_KEY']));
    expect(
      names.filter(
        (name) => !/^(HOME|LOGNAME|PATH|SHELL|TERM|USER|TOOL_KEY|AGENTFLOW_STACK|NODE_CHANNEL_\w+)$/.test(name),
      ),
    ).toEqual([]);
  });

  it('I6: says no key in anything that becomes part of a prompt, and has none in its name', async () => {
    process.env.USER_TOOL_KEY = 'key-of-a-user-tool-0123';
    const env = { TOOL_KEY: { env: 'USER_TOOL_KEY' } };
    const said = '`says ${process.env.TOOL_KEY}`';
    const tool = await load(
      {
        description: said,
        limitations: `[${said}]`,
        best_practices: `[${said}]`,
        schema: `{ type: 'object', properties: { text: { type: 'string', description: ${said} } } }`,
      },
      { env },
    );
    const { description, metadata, inputJsonSchema } = tool;
    expect({ description, metadata, inputJsonSchema }).toEqual({
      description: 'says ***',
      metadata: { limitations: ['says ***'], bestPractices: ['says ***'], demos: [] },
      inputJsonSchema: { type: 'object', properties: { text: { type: 'string', description: 'says ***' } } },
    });
    await expect(load({ name: 'process.env.TOOL_KEY' }, { env })).rejects.toThrow(
      /name: must be at most 64 lower-case/,
    );
    await expect(load({ title: 'process.env.TOOL_KEY' }, { env })).rejects.toThrow(/title: must be letters/);
  });
});
