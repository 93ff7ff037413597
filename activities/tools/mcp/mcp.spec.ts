import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it, jest } from '@jest/globals';
import { ApplicationFailure } from '@temporalio/common';
import { mcpServersSection } from '../../../infra/config/operator/mcp-servers.js';
import { PROJECT_ROOT } from '../../../infra/config/project-root.js';
import { callTool, RESULT_BYTES, runTool } from '../run-tool.js';
import type { ToolContext, ToolOutcome } from '../tool.js';
import { ToolRegistry } from '../tool-registry.js';
import { McpServerUnavailable } from './mcp-server.js';
import { McpServers } from './mcp-servers.js';
import { foundTool } from './testing/found-tool.js';

const SERVER = join(PROJECT_ROOT, 'activities/tools/mcp/testing/server.mjs');
const KEY = 'key-of-the-mcp-server';
const SLOW = 60_000;

const context = (signal = new AbortController().signal): ToolContext =>
  ({ flowId: 'f', turn: 1, dataset: { name: 'atlas', seed: 7 }, seed: '1', signal }) as ToolContext;

const lost: string[] = [];
const note = (error: Error): void => void lost.push(error.message);

let http: ChildProcess;
let port: number;
let servers: McpServers;

async function startHttp(wanted: number): Promise<void> {
  http = spawn(process.execPath, [SERVER, 'http', String(wanted), KEY], { stdio: ['ignore', 'pipe', 'inherit'] });
  const [line] = (await once(http.stdout!, 'data')) as [Buffer];
  port = Number(String(line));
}

async function stopHttp(): Promise<void> {
  http.kill('SIGKILL');
  await once(http, 'close');
}

const call = async (name: string, input: unknown = {}): Promise<ToolOutcome> =>
  runTool(await foundTool(servers, name), input, context());

beforeAll(async () => {
  process.env.MCP_SPEC_KEY = KEY;
  process.env.MCP_SPEC_OTHER = 'not-for-the-server';
  await startHttp(0);
  const registrations = mcpServersSection.parse({
    pipes: { command: process.execPath, args: [SERVER, 'stdio'], env: { MCP_KEY: { env: 'MCP_SPEC_KEY' } } },
    web: { url: `http://127.0.0.1:${port}/mcp`, key: { env: 'MCP_SPEC_KEY' }, timeout_s: 2 },
    listed: { command: process.execPath, args: [SERVER, 'stdio'], repeatable: ['die'] },
    absent: { command: '/nowhere/mcp-server' },
  });
  servers = await McpServers.open(registrations, note);
}, SLOW);

afterAll(async () => {
  await servers.close();
  await stopHttp();
});

describe.each(['pipes', 'web'])('MCP server %s', (server) => {
  it('lists its tools under registered names, each with a description and its schema', () => {
    expect(servers.tool(`${server}.echo`)).toMatchObject({
      name: `${server}.echo`,
      title: `${server}_echo`,
      description: 'says it again',
      subGoalField: 'text',
      inputJsonSchema: { type: 'object', properties: { text: { type: 'string' } }, required: ['text'] },
    });
    expect(servers.tool(`${server}.add_numbers`).subGoalField).toBeUndefined();
  });

  it(
    'answers calls, whatever the kind of content',
    async () => {
      expect(await call(`${server}.echo`, { text: 'é 😀' })).toEqual({ result: 'é 😀' });
      expect(await call(`${server}.add_numbers`, { a: 2, b: 3 })).toEqual({ result: '5' });
      expect(await call(`${server}.picture`)).toEqual({ result: '[image image/png, not shown]' });
    },
    SLOW,
  );

  it.each([{}, { a: 'two' }, { a: 1.5 }, { a: 1, b: -1 }, [], 'a', null])(
    'I10: refuses the arguments %j by its schema, without asking the server',
    async (input) => {
      const outcome = await call(`${server}.add_numbers`, input);
      expect(outcome).toEqual({ kind: 'invalid_arguments', mistake: expect.stringMatching(/must/) });
    },
    SLOW,
  );

  it(
    'makes an error of a tool the planner’s mistake',
    async () => {
      expect(await call(`${server}.fail`)).toEqual({ kind: 'failed', mistake: 'no such file' });
      expect(await call(`${server}.throw`)).toMatchObject({
        kind: 'failed',
        mistake: expect.stringMatching(/thrown inside/),
      });
    },
    SLOW,
  );

  it(
    'I6: repeats no key of its own: not in a result, its links and data, not in an error, a description or a log line',
    async () => {
      const written = jest.spyOn(process.stderr, 'write').mockReturnValue(true);
      const outcomes = [];
      for (const tool of ['leak', 'leak_structured', 'leak_error', 'leak_throw']) {
        outcomes.push(await call(`${server}.${tool}`));
      }
      outcomes.push(await call(`${server}.echo`, { text: `${KEY.toUpperCase()} is another word` }));
      const { description, title } = servers.tool(`${server}.leak`);
      const log = written.mock.calls.map(([text]) => String(text)).join('');
      written.mockRestore();
      expect(outcomes).toEqual([
        { result: '*** e***== ***\n[***: file:///***]\n***\n[image image/***, not shown]' },
        { result: '{"said":"***"}' },
        { kind: 'failed', mistake: '***' },
        { kind: 'failed', mistake: expect.stringContaining('no access with ***') },
        { result: `${KEY.toUpperCase()} is another word` },
      ]);
      expect({ description, title }).toEqual({ description: 'repeats ***', title: `${server}_leak` });
      if (server === 'pipes') expect(log).toContain('debug ***\ne***==\n');
    },
    SLOW,
  );

  it(
    'bounds what comes back',
    async () => {
      const { result } = await call(`${server}.flood`);
      expect(Buffer.byteLength(result!)).toBe(RESULT_BYTES);
    },
    SLOW,
  );

  it(
    'lists again when the server says that its tools have changed',
    async () => {
      expect(() => servers.tool(`${server}.grown`)).toThrow(/no tool "(pipes|web).grown". Its tools: .*echo/);
      await call(`${server}.grow`);
      for (;;) {
        try {
          servers.tool(`${server}.grown`);
          break;
        } catch {
          await sleep(50);
        }
      }
      expect(await call(`${server}.grown`)).toEqual({ result: 'here' });
    },
    SLOW,
  );

  it(
    'ends a call that is cancelled',
    async () => {
      const controller = new AbortController();
      const running = runTool(await foundTool(servers, `${server}.hang`), {}, context(controller.signal));
      await sleep(50);
      controller.abort(new Error('cancelled'));
      await expect(running).rejects.toThrow('cancelled');
      expect(await call(`${server}.echo`, { text: 'still here' })).toEqual({ result: 'still here' });
    },
    SLOW,
  );

  it(
    'I2: is an outage when it dies in a call, and is there again for the next attempt',
    async () => {
      await expect(call(`${server}.die`)).rejects.toThrow(/MCP server|did not answer/);
      if (server === 'web') {
        if (http.exitCode === null) await once(http, 'close');
        expect(() => servers.tool('web.echo')).toThrow(McpServerUnavailable);
        await startHttp(port);
      }
      expect(await call(`${server}.echo`, { text: 'again' })).toEqual({ result: 'again' });
      expect(lost.some((message) => message.includes(`The MCP server ${server} is not there`))).toBe(true);
    },
    SLOW,
  );
});

describe(McpServers, () => {
  it(
    'I2: ends a tool that hangs at its timeout, as an outage',
    async () => {
      await expect(call('web.hang')).rejects.toThrow(/web.hang did not answer within 2000 ms/);
    },
    SLOW,
  );

  it(
    'I15: may be called again where the server says that it only reads, or the operator says so; else once',
    async () => {
      const tools = ['pipes.echo', 'pipes.die', 'listed.echo', 'listed.die'];
      const repeatable = await Promise.all(tools.map(async (name) => (await foundTool(servers, name)).repeatable));
      expect(repeatable).toEqual([true, false, false, true]);
      let begun = 0;
      const note = { begin: async () => (begun += 1) === 1, withdraw: () => Promise.reject(new Error('withdrawn')) };
      const die = await foundTool(servers, 'pipes.die');
      const unknown = { kind: 'outcome_unknown', mistake: expect.stringMatching(/^it is not known whether/) };
      expect(await callTool(die, {}, context(), note)).toMatchObject(unknown);
      expect(await callTool(die, {}, context(), note)).toMatchObject(unknown);
      expect(begun).toBe(2);
    },
    SLOW,
  );

  it(
    'gives a server of ours its keys and nothing else of the worker’s environment',
    async () => {
      const { result } = await call('pipes.environment');
      expect(result!.split(' ')).toContain('MCP_KEY');
      expect(result).not.toContain('MCP_SPEC');
    },
    SLOW,
  );

  it('goes on without a server that is not there: its tools are an outage, and the message says where to look', () => {
    expect(() => servers.tool('absent.anything')).toThrow(McpServerUnavailable);
    expect(() => servers.tool('absent.anything')).toThrow(/absent is not there: .*ENOENT.*mcp_servers/s);
    expect(lost.join()).not.toContain(KEY);
  });

  it('owns the names that begin with a server’s, and tells a wrong name from an outage', async () => {
    await foundTool(servers, 'pipes.echo');
    const registry = new ToolRegistry([], [servers]);
    expect(registry.named('pipes.echo').title).toBe('pipes_echo');
    for (const name of ['pipes.nothing', 'other.echo', 'pipes', '.echo']) {
      expect(() => registry.named(name)).toThrow(ApplicationFailure);
    }
  });
});

describe('mcp_servers in the operator file', () => {
  it.each([
    { Files: { command: 'x' } },
    { 'a.b': { command: 'x' } },
    { a: {} },
    { a: { command: 'x', url: 'http://h' } },
    { a: { url: 'ftp://h' } },
    { a: { url: 'http://user:password@h' } },
    { a: { command: 'x', env: { KEY: 'the key itself' } } },
    { a: { command: 'x', directory: 'relative' } },
  ])('is not %j', (section) => {
    expect(mcpServersSection.safeParse(section).success).toBe(false);
  });
});
