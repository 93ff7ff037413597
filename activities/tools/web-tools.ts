import type { WebToolSettings } from '../../infra/config/operator/web-tools.js';
import { WebClient } from './http/web-client.js';
import { openEmbedder } from './ranking/embedder.js';
import type { Tool } from './tool.js';
import { createWebReaderTool } from './web-reader/web-reader.tool.js';
import { createWebSearchTool } from './web-search/web-search.tool.js';
import { createWikipediaTool } from './wikipedia/wikipedia.tool.js';

/** The tools that reach out, as far as the operator set them up. */
export function createWebTools({ search, access, wikipedia, embeddings }: WebToolSettings): Tool[] {
  const embedder = embeddings && openEmbedder(embeddings);
  return [
    ...(search ? [createWebSearchTool(search)] : []),
    ...(access
      ? [
          createWebReaderTool({ web: new WebClient(access), embedder }),
          createWikipediaTool({ settings: wikipedia, userAgent: access.user_agent, embedder }),
        ]
      : []),
  ];
}
