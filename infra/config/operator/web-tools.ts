import { withKey, type WithKey } from '../secrets.js';
import { type EmbeddingsSection, embeddingsSection } from './embeddings.js';
import { type WebAccess, webAccessSection } from './web-access.js';
import { type WebSearchSection, webSearchSection } from './web-search.js';
import { type WikipediaSection, wikipediaSection } from './wikipedia.js';

/** The sections of the operator's file that the web search, the web reader and the Wikipedia search are made from. */
export const webToolSections = {
  web_search: webSearchSection.optional(),
  web_access: webAccessSection.optional(),
  wikipedia: wikipediaSection.optional(),
  embeddings: embeddingsSection.optional(),
};

export interface WebToolSections {
  web_search?: WebSearchSection;
  web_access?: WebAccess;
  wikipedia?: WikipediaSection;
  embeddings?: EmbeddingsSection;
}

/** What a tool cannot do without. */
export const WEB_TOOL_NEEDS: Readonly<Record<string, keyof WebToolSections>> = {
  web_search: 'web_search',
  web_reader: 'web_access',
  wikipedia: 'web_access',
};

/** The sections at run time. */
export interface WebToolSettings {
  search?: WithKey<WebSearchSection>;
  access?: WebAccess;
  wikipedia: WikipediaSection;
  embeddings?: WithKey<EmbeddingsSection>;
}

/**
 * Reads the keys that the sections name, at the start of a process.
 * @throws SecretError
 */
export function readWebToolSettings(
  { web_search: search, web_access: access, wikipedia = wikipediaSection.parse({}), embeddings }: WebToolSections,
  env: NodeJS.ProcessEnv = process.env,
): WebToolSettings {
  return {
    wikipedia,
    ...(search && { search: withKey(search, env) }),
    ...(access && { access }),
    ...(embeddings && { embeddings: withKey(embeddings, env) }),
  };
}
