import type { OperatorFile } from '../../../infra/config/operator-file.js';
import type { EmbeddingsSection } from '../../../infra/config/operator/embeddings.js';
import { withKey } from '../../../infra/config/secrets.js';
import { openEmbedder } from '../ranking/embedder.js';
import type { Tool } from '../tool.js';
import { PassageIndexUnusable, type DenseManifest, type IndexManifest } from './manifest.js';
import { PassageSearcher } from './passage-searcher.js';
import { createPassagesTool } from './passages.tool.js';
import { byVectors, byWords, type Retrieval } from './retrieval.js';

/** The tool `passages`, and what ends its process. */
export interface OpenPassages {
  tool: Tool;
  close(): void;
}

/** @throws PassageIndexUnusable if the index is not whole, or cannot be searched as the section says; SecretError */
export async function openPassages({
  passages,
  embeddings,
}: Pick<OperatorFile, 'passages' | 'embeddings'>): Promise<OpenPassages | undefined> {
  if (!passages) return undefined;
  const searcher = await PassageSearcher.open(passages.index);
  try {
    const retrieval = passages.search === 'dense' ? dense(searcher, passages.index, embeddings!) : byWords(searcher);
    return { tool: createPassagesTool(retrieval, passages), close: () => searcher.close() };
  } catch (error) {
    searcher.close();
    throw error;
  }
}

/** @throws PassageIndexUnusable if the vectors are not those of the operator's model; SecretError */
function dense(searcher: PassageSearcher, directory: string, embeddings: EmbeddingsSection): Retrieval {
  const { manifest } = searcher;
  if (!isDense(manifest))
    throw new PassageIndexUnusable(directory, 'has no vectors, and `passages.search` is dense', ' --dense float32');
  for (const key of ['model', 'query_prefix', 'passage_prefix'] as const) {
    if (manifest.dense[key] === embeddings[key]) continue;
    const [was, is] = [manifest.dense[key], embeddings[key]].map((value) => JSON.stringify(value));
    throw new PassageIndexUnusable(
      directory,
      `was embedded with ${key} ${was}, and the section embeddings says ${is}`,
      ` --dense ${manifest.dense.precision}`,
    );
  }
  return byVectors(searcher, manifest, openEmbedder(withKey(embeddings)));
}

function isDense(manifest: IndexManifest): manifest is DenseManifest {
  return manifest.dense !== undefined;
}
