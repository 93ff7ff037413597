import { createHash } from 'node:crypto';
import type { ArtifactStore } from '../../infra/artifacts/artifact-store.js';
import type { ImageRef } from '../../workflows/contracts/flow.js';
import type { QuestionImage } from './dto/question.dto.js';

/** Writes pictures into the artifact store under their sha256, so that the same picture is there once. */
export async function storeImages(artifacts: ArtifactStore, images: readonly QuestionImage[]): Promise<ImageRef[]> {
  return Promise.all(images.map((image) => store(artifacts, image)));
}

async function store(artifacts: ArtifactStore, { media_type: mediaType, data }: QuestionImage): Promise<ImageRef> {
  const content = Buffer.from(data, 'base64');
  const name = createHash('sha256').update(content).digest('hex');
  const { uri, sha256 } = await artifacts.writeFile(`images/${name}`, content);
  return { uri, sha256, mediaType };
}
