import { isAbsolute } from 'node:path';
import { z } from 'zod';
import { secretSource } from '../secrets.js';

/** The first part of the name of each of its tools, `<server>.<tool>`. */
const serverName = z.string().regex(/^[a-z0-9][a-z0-9_-]{0,30}$/, 'must be lower-case letters, digits, "_", "-"');

const httpUrl = z
  .url({ protocol: /^https?$/, error: 'must be an http:// or https:// URL' })
  .refine((url) => !/^\w+:\/\/[^/?#]*@/.test(url), 'must carry no user name and no password: name a `key` instead');

/** How long one call of a tool may take: less than an attempt of an activity. */
const timeout_s = z.number().min(1).max(840).default(60);

const variable = z.string().regex(/^[A-Za-z_][A-Za-z0-9_]*$/, 'must be the name of an environment variable');

const mcpServer = z.union(
  [
    /** A program that speaks MCP over its standard input and output. */
    z.strictObject({
      command: z.string().min(1),
      args: z.array(z.string()).default([]),
      /** Its secrets: nothing of the worker's environment but PATH, HOME and the like is passed on besides them. */
      env: z.record(variable, secretSource).default({}),
      directory: z.string().refine(isAbsolute, 'must be an absolute path').optional(),
      timeout_s,
    }),
    /** Streamable HTTP. The key is sent as a bearer token. */
    z.strictObject({ url: httpUrl, key: secretSource.optional(), timeout_s }),
  ],
  { error: 'must be { command, args, env } or { url, key }' },
);

/** The section `mcp_servers` of the operator's file. */
export const mcpServersSection = z.record(serverName, mcpServer).default({});

export type McpServerRegistration = z.infer<typeof mcpServer>;
