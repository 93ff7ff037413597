import { z } from 'zod';
import { ServiceClient } from '../http/service-client.js';

export interface WikipediaPage {
  title: string;
  url: string;
  /** Plain text; headings are lines of their own. */
  text: string;
}

const searchSchema = z.object({ query: z.object({ search: z.array(z.object({ pageid: z.int() })) }) });

const pageSchema = z.object({
  query: z.object({
    pages: z.array(z.object({ title: z.string(), fullurl: z.string().default(''), extract: z.string().default('') })),
  }),
});

/** The Action API of Wikipedia's editions. One request at a time for each call, as its operators ask. */
export class WikipediaApi {
  private readonly client = new ServiceClient('Wikipedia');

  /** @param url of the API, with `{language}` in the place of the edition's subdomain */
  constructor(
    private readonly url: string,
    private readonly userAgent: string,
  ) {}

  /** The page ids of the best matches, best first. */
  async search(language: string, query: string, limit: number, signal: AbortSignal): Promise<number[]> {
    const parameters = { list: 'search', srsearch: query, srlimit: String(limit), srprop: '' };
    const answer = await this.client.json(this.address(language, parameters), searchSchema, signal, this.request);
    return answer.query.search.map(({ pageid }) => pageid);
  }

  /** The whole text of a page. Undefined where it has been removed since it was found. */
  async page(language: string, id: number, signal: AbortSignal): Promise<WikipediaPage | undefined> {
    const parameters = { prop: 'extracts|info', inprop: 'url', explaintext: '1', exsectionformat: 'plain' };
    const address = this.address(language, { ...parameters, pageids: String(id), redirects: '1' });
    const { query } = await this.client.json(address, pageSchema, signal, this.request);
    const [page] = query.pages;
    return page?.extract ? { title: page.title, url: page.fullurl, text: page.extract } : undefined;
  }

  private address(language: string, parameters: Record<string, string>): URL {
    const address = new URL(this.url.replaceAll('{language}', language));
    const common = { action: 'query', format: 'json', formatversion: '2' };
    address.search = new URLSearchParams({ ...common, ...parameters }).toString();
    return address;
  }

  private get request() {
    return { headers: { 'user-agent': this.userAgent, 'accept-encoding': 'gzip' } };
  }
}
