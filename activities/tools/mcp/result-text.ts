import type { CallToolResult, ContentBlock } from '@modelcontextprotocol/sdk/types.js';
import { mistake, type ToolOutcome } from '../tool.js';

/** What a tool of an MCP server answered, as text. An error that the tool itself reports is the planner's to mend. */
export function toOutcome({ content, structuredContent, isError }: CallToolResult): ToolOutcome {
  const written = content.map(blockText).join('\n').trim();
  const text = written || (structuredContent === undefined ? '' : JSON.stringify(structuredContent));
  return isError ? mistake('failed', text || 'the tool reports an error') : { result: text || 'no result' };
}

function blockText(block: ContentBlock): string {
  switch (block.type) {
    case 'text':
      return block.text;
    case 'image':
    case 'audio':
      return `[${block.type} ${block.mimeType}, not shown]`;
    case 'resource_link':
      return `[${block.name}: ${block.uri}]`;
    case 'resource':
      return 'text' in block.resource ? block.resource.text : `[${block.resource.uri}, not shown]`;
  }
}
