import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { z } from 'zod';
import { mcpServersSection } from '../../infra/config/operator/mcp-servers.js';
import { userToolsSection } from '../../infra/config/operator/user-tools.js';
import { PROJECT_ROOT } from '../../infra/config/project-root.js';
import { ToolDescription } from '../../infra/database/entities/index.js';
import { createTestDatabase, type TestDatabase } from '../../infra/database/testing/test-database.js';
import { describeTools } from './describe-tools.js';
import { createTools } from './index.js';
import { McpServers } from './mcp/mcp-servers.js';
import { defineTool } from './tool.js';
import { openUserTools, type UserTools } from './user/user-tools.js';

const SERVER = join(PROJECT_ROOT, 'activities/tools/mcp/testing/server.mjs');
const KEY = 'marked-mcp-key-0123456789';

describe(describeTools, () => {
  let database: TestDatabase;
  let servers: McpServers;
  let userTools: UserTools;

  beforeAll(async () => {
    database = await createTestDatabase();
    process.env.TEST_TOLD_MCP_KEY = KEY;
    const registered = mcpServersSection.parse({
      files: { command: process.execPath, args: [SERVER, 'stdio'], env: { MCP_KEY: { env: 'TEST_TOLD_MCP_KEY' } } },
      absent: { command: '/nowhere/mcp-server' },
    });
    servers = await McpServers.open(registered, () => undefined);
    userTools = await openUserTools(userToolsSection.parse({ directory: join(PROJECT_ROOT, 'examples/tools') })!);
  });
  afterAll(async () => {
    userTools?.close();
    await servers?.close();
    await database?.drop();
  });

  const rows = () => database.dataSource.getRepository(ToolDescription).find({ order: { name: 'ASC' } });
  const tell = (...names: string[]) =>
    describeTools(database.dataSource, createTools(undefined, { tools: userTools.tools, sources: [servers] }), names);

  it('writes what each kind of tool says of itself, without keys, and passes over what is not there', async () => {
    await tell('calculator', 'generator', 'days_between', 'files.echo', 'files.leak', 'absent.any', 'no_such_tool');
    const told = await rows();
    expect(told.map(({ name, asksModel, repeatable }) => [name, asksModel, repeatable])).toEqual([
      ['calculator', false, true],
      ['days_between', false, true],
      ['files.echo', false, true],
      ['files.leak', false, false],
      ['generator', true, true],
    ]);
    expect(told[0]).toMatchObject({
      title: 'Calculator',
      description: 'evaluates arithmetic such as 12*7',
      inputSchema: { type: 'object', required: ['expression'], additionalProperties: false },
    });
    expect(told[1].inputSchema).toMatchObject({ required: ['from', 'to'] });
    expect(told[2].inputSchema).toMatchObject({ properties: { text: { type: 'string', maxLength: 200_000 } } });
    expect(JSON.stringify(told)).not.toContain(KEY);
  });

  it('writes again only what has changed, and forgets nothing that is away', async () => {
    await tell('calculator', 'files.echo');
    const before = await rows();
    await tell('calculator', 'files.echo');
    expect(await rows()).toEqual(before);
    const other = defineTool({
      name: 'days_between',
      title: 'days_between',
      description: 'counts otherwise',
      inputSchema: z.strictObject({ days: z.string() }),
      timeoutMs: 1,
      run: async () => ({ result: '' }),
    });
    await describeTools(database.dataSource, createTools(undefined, { tools: [other], sources: [] }), [
      'days_between',
      'files.echo',
    ]);
    const after = await rows();
    expect(after.find(({ name }) => name === 'days_between')).toMatchObject({ description: 'counts otherwise' });
    expect(after.find(({ name }) => name === 'files.echo')).toEqual(before.find(({ name }) => name === 'files.echo'));
  });
});
