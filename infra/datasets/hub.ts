import { z } from 'zod';

/** What the hub says of a dataset at one commit. */
const datasetInfo = z.object({
  sha: z.string().regex(/^[0-9a-f]{40}$/),
  cardData: z.object({ license: z.union([z.string(), z.array(z.string())]).optional() }).nullish(),
  siblings: z.array(
    z.object({
      rfilename: z.string(),
      size: z.number().int().optional(),
      /** git's sha1 of the file; of a large file, of its pointer. */
      blobId: z.string().optional(),
      lfs: z.object({ sha256: z.string(), size: z.number().int() }).nullish(),
    }),
  ),
});

export type HubFile = z.infer<typeof datasetInfo>['siblings'][number];
export interface HubDataset {
  commit: string;
  licence: string;
  files: HubFile[];
}

/** The download cannot go on. The message says what to do. */
export class FetchRefused extends Error {
  override readonly name = 'FetchRefused';
}

/** The Hugging Face hub, or a mirror of it. The token goes to this address alone: redirects elsewhere do not carry it. */
export class Hub {
  constructor(
    private readonly endpoint: string,
    private readonly token: string | undefined,
  ) {}

  /** @throws FetchRefused */
  async dataset(repository: string): Promise<HubDataset> {
    const response = await this.get(`/api/datasets/${repository}/revision/main?blobs=true`, repository);
    const parsed = datasetInfo.safeParse(await response.json().catch(() => undefined));
    if (!parsed.success)
      throw new FetchRefused(`${this.endpoint} gave no description of ${repository} that can be read.`);
    const { sha, cardData, siblings } = parsed.data;
    const licences = [cardData?.license ?? 'unstated'].flat();
    return { commit: sha, licence: licences.join(', '), files: siblings };
  }

  /** @throws FetchRefused */
  async file(repository: string, commit: string, name: string): Promise<ReadableStream<Uint8Array>> {
    const path = name.split('/').map(encodeURIComponent).join('/');
    const { body } = await this.get(`/datasets/${repository}/resolve/${commit}/${path}`, repository);
    if (!body) throw new FetchRefused(`${this.endpoint} sent nothing for ${name} of ${repository}.`);
    return body;
  }

  private async get(path: string, repository: string): Promise<Response> {
    const url = new URL(path, this.endpoint);
    const headers = new Headers(this.token === undefined ? [] : [['authorization', `Bearer ${this.token}`]]);
    const response = await fetch(url, { headers }).catch((error: Error) => {
      const reason = error.cause instanceof Error ? error.cause.message : error.message;
      throw new FetchRefused(`${url.origin} cannot be reached: ${reason}`, { cause: error });
    });
    if (response.ok) return response;
    await response.body?.cancel();
    if (response.status === 401 || response.status === 403) {
      throw new FetchRefused(
        `${url.origin} refuses ${repository} (${response.status}). Accept its terms at ` +
          `${this.endpoint}/datasets/${repository} and set HF_TOKEN to a token of the account that did.`,
      );
    }
    throw new FetchRefused(`${url.origin}${url.pathname} answered ${response.status}. Try again later.`);
  }
}
