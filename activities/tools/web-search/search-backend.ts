export interface SearchHit {
  title: string;
  url: string;
  snippet: string;
}

export interface SearchResult {
  hits: SearchHit[];
  /** Where it was asked for and the service gave one. */
  answer?: string;
}

/** A search service. */
export interface SearchBackend {
  /** Whether it can write an answer besides the hits. */
  answers: boolean;
  /** @throws what ServiceClient throws */
  search(query: string, answer: boolean, signal: AbortSignal): Promise<SearchResult>;
}

/** How many hits a planner gets. */
export const HITS = 8;
