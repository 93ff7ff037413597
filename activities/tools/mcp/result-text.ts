import { z } from 'zod';
import { mistake, type ToolOutcome } from '../tool.js';

/** What servers send for content: the blocks of the protocol, and others that they make up. */
const block = z.looseObject({ type: z.string().optional(), text: z.string().optional() });

/** The result of a call, as far as servers keep to the protocol. */
export const callResultSchema = z.looseObject({
  content: z.array(block).nullish(),
  structuredContent: z.unknown().optional(),
  isError: z.boolean().nullish(),
});

type CallResult = z.infer<typeof callResultSchema>;

/**
 * What a tool of an MCP server answered, as text. An error that the tool itself reports is the planner's to mend.
 * @param misfit what of structured content the tool's own schema does not accept
 */
export function toOutcome(
  { content, structuredContent = undefined, isError }: CallResult,
  misfit: (structured: unknown) => string | undefined,
): ToolOutcome {
  const words = isError || structuredContent === undefined ? undefined : misfit(structuredContent);
  if (words !== undefined)
    return mistake('failed', `the tool's result is not as the tool itself declares it: ${words}`);
  const written = (content ?? []).map(blockText).join('\n').trim();
  const structured = written || structuredContent === undefined ? undefined : jsonResult(structuredContent);
  if (structured?.mistake !== undefined) return structured;
  const text = structured?.result ?? written;
  return isError ? mistake('failed', text || 'the tool reports an error') : { result: text || 'no result' };
}

/** A value that the server gave, as text. Nested too deeply, it cannot be written: that is the tool's failure. */
function jsonResult(value: unknown): ToolOutcome {
  try {
    return { result: JSON.stringify(value) };
  } catch (error) {
    return mistake('failed', `the tool's result cannot be written as JSON: ${(error as Error).message}`);
  }
}

function blockText({ type = 'content', text, ...rest }: z.infer<typeof block>): string {
  if (text !== undefined) return text;
  const { mimeType, name, uri, resource } = rest as Record<string, unknown>;
  if (type === 'resource_link') return `[${shown(name)}: ${shown(uri)}]`;
  if (typeof resource === 'object' && resource !== null) return resourceText(resource);
  return `[${[type, mimeType].filter(Boolean).map(shown).join(' ')}, not shown]`;
}

function resourceText(resource: { text?: unknown; uri?: unknown }): string {
  return typeof resource.text === 'string' ? resource.text : `[${shown(resource.uri)}, not shown]`;
}

function shown(value: unknown): string {
  return typeof value === 'string' ? value : 'unnamed';
}
