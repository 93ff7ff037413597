import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { mcpServersSection } from '../../../infra/config/operator/mcp-servers.js';
import { PROJECT_ROOT } from '../../../infra/config/project-root.js';
import { callTool, RESULT_BYTES, runTool } from '../run-tool.js';
import { toolContext } from '../testing/tool-context.js';
import type { ToolOutcome } from '../tool.js';
import { McpServerUnavailable } from './mcp-server.js';
import { McpServers } from './mcp-servers.js';
import { foundTool } from './testing/found-tool.js';

const SERVER = join(PROJECT_ROOT, 'activities/tools/mcp/testing/hostile.mjs');
const LONG = 'a'.repeat(64);

describe('MCP servers that break the protocol', () => {
  const warnings: string[] = [];
  let http: ChildProcess;
  let servers: McpServers;

  beforeAll(async () => {
    http = spawn(process.execPath, [SERVER, 'http'], { stdio: ['ignore', 'pipe', 'inherit'] });
    const [port] = (await once(http.stdout!, 'data')) as [Buffer];
    const registrations = mcpServersSection.parse({
      pipes: { command: process.execPath, args: [SERVER, 'stdio'] },
      web: { url: `http://127.0.0.1:${Number(String(port))}/mcp` },
      slow: { command: process.execPath, args: [SERVER, 'slow'] },
      exits: { command: process.execPath, args: ['-e', 'process.exit(1)'] },
      chatters: { command: process.execPath, args: ['-e', 'for (;;) process.stdout.write("x".repeat(65536))'] },
    });
    servers = await McpServers.open(registrations, (error) => void warnings.push(error.message));
  });
  afterAll(async () => {
    await servers.close();
    http.kill('SIGKILL');
  });

  const call = async (name: string, input: unknown = {}): Promise<ToolOutcome> =>
    runTool(await foundTool(servers, name), input, toolContext());

  it('a worker starts with one whose list never ends, one that is slow, one that exits and one that only writes', async () => {
    for (const name of ['pipes', 'web', 'slow']) {
      const said = `The MCP server ${name} does not end its list of tools: the 22 listed so far are used.`;
      expect(warnings.filter((warning) => warning === said)).toHaveLength(1);
    }
    expect(await call('slow.fine')).toEqual({ result: 'fine' });
    for (const name of ['exits', 'chatters']) {
      expect(() => servers.tool(`${name}.fine`)).toThrow(McpServerUnavailable);
    }
  });

  describe.each(['pipes', 'web'])('%s', (server) => {
    it('takes patterns as they were meant; one that is none loses its own tool and no other', async () => {
      expect(await call(`${server}.loose_pattern`, { a: 'https://x' })).toEqual({ result: 'fine' });
      expect(await call(`${server}.loose_pattern`, { a: 'x' })).toMatchObject({ kind: 'invalid_arguments' });
      expect(await call(`${server}.unicode_pattern`, { a: 'é' })).toEqual({ result: 'fine' });
      await expect(call(`${server}.no_pattern`)).rejects.toMatchObject({
        type: 'BadConfiguration',
        nonRetryable: true,
        message: expect.stringMatching(
          /^The tool \w+\.no_pattern cannot be used: its JSON schema .*Invalid regular expr/,
        ),
      });
    });

    it.each(['no_output_pattern', 'no_reference'])(
      'uses a tool whose schema of results makes no sense: %s',
      async (name) => {
        expect(await call(`${server}.${name}`)).toEqual({ result: '{"a":"b"}' });
      },
    );

    it('tells a result that does not fit the tool’s own schema as the tool’s failure', async () => {
      expect(await call(`${server}.misfit`)).toEqual({
        kind: 'failed',
        mistake: "the tool's result is not as the tool itself declares it: degrees must be number",
      });
      expect(await call(`${server}.text_only`)).toEqual({ result: '7 degrees' });
      expect(await call(`${server}.misfit_error`)).toEqual({ kind: 'failed', mistake: 'no such place' });
    });

    it.each([
      ['same', '"Same" and "same"'],
      [`${LONG}_one`, `"${LONG}_one" and "${LONG}_two"`],
    ])('uses none of two tools that have one name here: %s', async (name, both) => {
      const registered = `${server}.${name}`.slice(0, 64);
      await expect(call(registered)).rejects.toMatchObject({
        type: 'BadConfiguration',
        message: expect.stringContaining(`has the tools ${both}, which are all called ${registered} here`),
      });
    });

    it('loses no other tool by one that is listed wrongly, and says which', () => {
      const said = `The MCP server ${server} lists a tool schemaless that is none: inputSchema: `;
      expect(warnings.some((warning) => warning.startsWith(said))).toBe(true);
      expect(() => servers.tool(`${server}.schemaless`)).toThrow(/has no tool/);
    });

    it('reads blocks that the protocol does not know, resources and links', async () => {
      expect(await call(`${server}.json_block`)).toEqual({ result: '[json, not shown]\nsaid so' });
      expect(await call(`${server}.no_content`)).toEqual({ result: 'no result' });
      const { result } = await call(`${server}.blocks`);
      expect(result).toBe(
        '[image image/png, not shown]\n[file:///b.bin, not shown]\nof a resource\n[a link: file:///l.txt]',
      );
    });

    it('refuses what it is asked for, so that the call ends', async () => {
      expect(await call(`${server}.asks`)).toEqual({ result: 'Method not found, Method not found' });
    });

    it('I16: cuts ten megabytes, and tells of an answer that is larger than a message may be', async () => {
      const { result } = await call(`${server}.megabytes`);
      expect(result).toMatch(/^é+\n/);
      expect(Buffer.byteLength(result!)).toBeLessThanOrEqual(RESULT_BYTES);
      const tooLarge = { kind: 'output_limit', mistake: "the tool's answer is larger than 16777216 bytes" };
      expect(await call(`${server}.too_large`)).toEqual(tooLarge);
      expect(await call(`${server}.fine`)).toEqual({ result: 'fine' });
    });

    it('I2: a call beside one whose answer is too large is an outage, and is made again', async () => {
      const note = { begin: async () => true, withdraw: async () => undefined };
      const beside = await Promise.allSettled([
        call(`${server}.too_large`),
        call(`${server}.too_large`),
        callTool(await foundTool(servers, `${server}.too_large`), {}, toolContext(), note),
      ]);
      expect(beside.slice(0, 2)).toEqual(
        Array(2).fill(
          expect.objectContaining({ status: 'rejected', reason: expect.objectContaining({ name: 'McpAnswerLost' }) }),
        ),
      );
      expect(beside[2]).toMatchObject({ value: { kind: 'outcome_unknown' } });
    });

    it('lists once for many words that the tools have changed', async () => {
      const lists = async () => Number((await call(`${server}.lists`)).result);
      const before = await lists();
      expect(await call(`${server}.changes`)).toEqual({ result: 'changed' });
      expect(await call(`${server}.changes`)).toEqual({ result: 'changed' });
      while ((await lists()) === before) await sleep(50);
      expect((await lists()) - before).toBeLessThanOrEqual(2);
    });
  });
});
