// Starts one child of each kind that the agent worker starts, as it does, and holds them until it is killed.
// Needs the compiled project.
import { join } from 'node:path';
import { McpServers } from '../../../dist/activities/tools/mcp/mcp-servers.js';
import { Interpreter } from '../../../dist/activities/tools/python-coder/interpreter.js';
import { extractDocument } from '../../../dist/activities/tools/web-reader/extract-document.js';
import { openUserTools } from '../../../dist/activities/tools/user/user-tools.js';
import { readEnvironment } from '../../../dist/infra/config/environment.js';

const server = new URL('../mcp/testing/server.mjs', import.meta.url).pathname;
const registration = { command: process.execPath, args: [server, 'stubborn'], env: {}, timeout_s: 60 };
await McpServers.open({ stubborn: registration }, (error) => console.error(error.message));

const { AGENTFLOW_CACHE } = readEnvironment(['AGENTFLOW_CACHE']);
const limits = { memory_mb: 64, time_s: 600, interpreters: 1 };
const interpreter = new Interpreter(limits, join(AGENTFLOW_CACHE, 'python-sandbox'));
await interpreter.ready;
const forever = new globalThis.AbortController().signal;
void interpreter.run({ code: 'while True: pass', seed: 1 }, forever);

const directory = new URL('../../../examples/tools', import.meta.url).pathname;
await openUserTools({ directory, processes: 1, memory_mb: 128, env: {} });

const page = Buffer.from('<p>text</p>'.repeat(1_000_000));
void extractDocument({ bytes: page, contentType: 'text/html', charset: 'utf-8' }, forever);
console.log('holding');
