import type { Client } from '@modelcontextprotocol/sdk/client/index.js';
import { type Tool as ListedTool, ToolSchema } from '@modelcontextprotocol/sdk/types.js';
import { z } from 'zod';
import { FailureType } from '../../../contracts/failures.js';
import { redact, redactedStart, redactKnown } from '../../../infra/redaction/redact.js';
import { nonRetryable } from '../../failures/non-retryable.js';
import type { Tool } from '../tool.js';
import { registeredToolName } from './mcp-tool.js';

/** Far more than a planner could choose from. */
const MAX_PAGES = 100;
const MAX_TOOLS = 2_000;
const SHOWN_CHARACTERS = 100;

/** A page as servers send it: a tool that is none loses no other one. */
const pageSchema = z.looseObject({ tools: z.array(z.unknown()), nextCursor: z.string().nullish() });

interface Listing {
  /** Of each page. */
  timeoutMs: number;
  /** Told of what cannot be used. */
  warn: (error: Error) => void;
  /** @throws Error where the tool's JSON schema makes no sense */
  make: (listed: ListedTool) => Tool;
}

/** The tools of a server by their registered names, each made when it is first asked for; making it may fail with BadConfiguration. */
export async function listTools(
  client: Client,
  server: string,
  { timeoutMs, warn, make }: Listing,
): Promise<ReadonlyMap<string, () => Tool>> {
  const listed = await readPages(client, server, timeoutMs, warn);
  const byName = new Map<string, ListedTool[]>();
  for (const tool of listed) {
    const name = registeredToolName(server, tool.name);
    byName.set(name, [...(byName.get(name) ?? []), tool]);
  }
  return new Map([...byName].map(([name, tools]) => [name, once(() => only(server, name, tools, make))]));
}

/** Cursors are opaque; one that comes again leads nowhere new. */
async function readPages(
  client: Client,
  server: string,
  timeoutMs: number,
  warn: (error: Error) => void,
): Promise<ListedTool[]> {
  const tools = new Map<string, ListedTool>();
  const cursors = new Set<string>();
  let cursor: string | undefined;
  do {
    const request = { method: 'tools/list' as const, params: cursor === undefined ? {} : { cursor } };
    const page = await client.request(request, pageSchema, { timeout: timeoutMs });
    for (const entry of page.tools) {
      const { data: tool, error } = ToolSchema.safeParse(withoutNulls(entry));
      if (!tool) warn(unusable(server, entry, `that is none: ${firstOf(error)}`));
      else if (redactKnown(tool.name) === tool.name) tools.set(tool.name, tool);
      // Under the name that it has here, it could not be taken out of prompts and messages.
      else warn(unusable(server, entry, 'whose name holds a key: it cannot be used.'));
    }
    cursor = page.nextCursor ?? undefined;
    if (cursor === undefined) return [...tools.values()];
    if (cursors.has(cursor)) break;
    cursors.add(cursor);
  } while (cursors.size < MAX_PAGES && tools.size < MAX_TOOLS);
  warn(new Error(`The MCP server ${server} does not end its list of tools: the ${tools.size} listed so far are used.`));
  return [...tools.values()];
}

/** Some servers send null for what they leave out. */
function withoutNulls(entry: unknown): unknown {
  if (typeof entry !== 'object' || entry === null) return entry;
  return Object.fromEntries(Object.entries(entry).filter(([, value]) => value !== null));
}

function unusable(server: string, entry: unknown, why: string): Error {
  const { name } = (entry ?? {}) as { name?: unknown };
  const called = typeof name === 'string' ? redactedStart(name, SHOWN_CHARACTERS) : 'without a name';
  return new Error(`The MCP server ${server} lists a tool ${called} ${why}`);
}

function firstOf({ issues: [{ path, message }] }: z.ZodError): string {
  return redact(`${path.join('.')}: ${message}`);
}

/** @throws BadConfiguration where a name is that of several tools, or its tool cannot be made */
function only(server: string, name: string, tools: readonly ListedTool[], make: Listing['make']): Tool {
  if (tools.length > 1) {
    const names = tools.map((tool) => `"${tool.name}"`).join(' and ');
    throw refused(
      `The MCP server ${server} has the tools ${names}, which are all called ${name} here: none of them can be used.`,
    );
  }
  try {
    return make(tools[0]);
  } catch (error) {
    throw refused(`The tool ${name} cannot be used: its JSON schema makes no sense: ${(error as Error).message}`);
  }
}

function refused(message: string): Error {
  return nonRetryable(FailureType.BadConfiguration, message);
}

function once<Value>(make: () => Value): () => Value {
  let made: { value: Value } | undefined;
  return () => (made ??= { value: make() }).value;
}
