import { once } from 'node:events';
import { spawn } from 'node:child_process';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { Client } from '@modelcontextprotocol/sdk/client/index.js';
import { getDefaultEnvironment, StdioClientTransport } from '@modelcontextprotocol/sdk/client/stdio.js';
import { completeFlow } from '../api/agent-flows/testing/flow-rows.js';
import { TestApi } from '../api/testing/test-api.js';
import { AgentFlow } from '../infra/database/entities/index.js';
import { PROJECT_ROOT } from '../infra/config/project-root.js';
import { until } from './support/started-run.js';

const COMMAND = [join(PROJECT_ROOT, 'cli/agentflow.mjs'), 'mcp'];

describe('agentflow mcp, as an assistant starts it', () => {
  let api: TestApi;
  beforeAll(async () => {
    api = await TestApi.start();
  });
  afterAll(() => api.stop());

  const environment = () => ({ ...getDefaultEnvironment(), AGENTFLOW_API_URL: api.url, AGENTFLOW_API_KEY: api.key });

  it('asks over standard input and output', async () => {
    const client = new Client({ name: 'assistant', version: '1' });
    const transport = new StdioClientTransport({ command: process.execPath, args: COMMAND, env: environment() });
    await client.connect(transport);
    const question = 'What is 347 plus 589?';
    const told: string[] = [];
    const answer = client.callTool({ name: 'ask', arguments: { question } }, undefined, {
      onprogress: ({ message }) => told.push(message ?? ''),
    });
    const { dataSource } = api.database;
    await until(async () => (await dataSource.getRepository(AgentFlow).findOneBy({ question })) !== null);
    await completeFlow(dataSource, (await dataSource.getRepository(AgentFlow).findOneByOrFail({ question })).id);
    expect((await answer).content).toEqual([
      { type: 'text', text: expect.stringMatching(/^Answer: 30184\nflow: flow-/) },
    ]);
    expect(told).toContainEqual(expect.stringContaining('lookup: area of Hexley'));
    await client.close();
  });

  it('writes nothing but messages, answers what is no message, and ends with its assistant', async () => {
    const server = spawn(process.execPath, COMMAND, { env: environment(), stdio: ['pipe', 'pipe', 'inherit'] });
    let output = '';
    server.stdout.setEncoding('utf8').on('data', (text: string) => (output += text));
    const exit = once(server, 'exit');
    const clientInfo = { name: 'assistant', version: '1' };
    const initialize = { protocolVersion: '2025-06-18', capabilities: {}, clientInfo };
    for (const message of [
      'this is no message',
      { jsonrpc: '2.0', id: 1, method: 'initialize', params: initialize },
      { jsonrpc: '2.0', method: 'notifications/initialized' },
      { jsonrpc: '2.0', id: 2, method: 'tools/call', params: { name: 'ask', arguments: { question: 'Who waits?' } } },
      { jsonrpc: '2.0', id: 3, method: 'tools/call', params: { name: 'runs', arguments: {} } },
    ]) {
      server.stdin.write(`${typeof message === 'string' ? message : JSON.stringify(message)}\n`);
    }
    await until(async () => output.includes('"id":3'));
    server.stdin.end(); // while the first call waits
    expect(await exit).toEqual([0, null]);
    const messages = output
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line) as { jsonrpc: string; id: number });
    expect(messages.map(({ id }) => id)).toEqual([1, 3]);
    expect(messages.every(({ jsonrpc }) => jsonrpc === '2.0')).toBe(true);
  });
});
