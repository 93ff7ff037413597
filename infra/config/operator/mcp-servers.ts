import { isAbsolute } from 'node:path';
import { z } from 'zod';
import { secretSource, secretVariables } from '../secrets.js';

/** The first part of the name of each of its tools, `<server>.<tool>`. */
const serverName = z.string().regex(/^[a-z0-9][a-z0-9_-]{0,30}$/, 'must be lower-case letters, digits, "_", "-"');

const httpUrl = z
  .url({ protocol: /^https?$/, error: 'must be an http:// or https:// URL' })
  .refine((url) => !/^\w+:\/\/[^/?#]*@/.test(url), 'must carry no user name and no password: name a `key` instead')
  .meta({ title: 'URL' });

/** Less than an attempt of an activity. */
const timeout_s = z.number().min(1).max(840).default(60).describe('Seconds of one call.');

const repeatable = z
  .array(z.string())
  .optional()
  .describe(
    'Tools of the server, by their own names, whose calls may be made again. Without it the server says which (docs/tools.md#calls-that-are-made-once).',
  );

const mcpServer = z.union(
  [
    z.strictObject({
      command: z.string().min(1).describe('A program that speaks MCP over its standard input and output.'),
      args: z.array(z.string()).default([]).describe('Its arguments.'),
      env: secretVariables,
      directory: z
        .string()
        .refine(isAbsolute, 'must be an absolute path')
        .optional()
        .meta({ title: 'absolute path', description: 'The directory that it runs in.' }),
      timeout_s,
      repeatable,
    }),
    z.strictObject({
      url: httpUrl.describe('A server that speaks streamable HTTP. Redirects are not followed.'),
      key: secretSource.optional().describe('Where the key is that is sent as a bearer token.'),
      timeout_s,
      repeatable,
    }),
  ],
  { error: 'must be { command, args, env } or { url, key }' },
);

/** The section `mcp_servers` of the operator's file. */
export const mcpServersSection = z
  .record(serverName, mcpServer)
  .default({})
  .describe('Servers of the Model Context Protocol (docs/tools.md#mcp-servers).');

export type McpServerRegistration = z.infer<typeof mcpServer>;
