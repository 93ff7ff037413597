import type { ArtifactStore } from '../../../infra/artifacts/artifact-store.js';
import { FailureType } from '../../../contracts/failures.js';
import type { ImageRef } from '../../../contracts/flow.js';
import { imageTypeOf, MAX_IMAGE_BYTES } from '../../../contracts/images.js';
import { nonRetryable } from '../../failures/non-retryable.js';

export type ImageReader = (image: ImageRef) => Promise<Uint8Array>;

/**
 * Reads pictures of questions from the artifact store and from nowhere else.
 * Fails with BadConfiguration where a file is not a picture of its type or too large.
 */
export function createImageReader(artifacts: ArtifactStore): ImageReader {
  return async ({ uri, sha256, mediaType }) => {
    const content = await artifacts.readFile(uri, sha256);
    if (content.length > MAX_IMAGE_BYTES) {
      throw refused(uri, `has ${content.length} bytes, more than ${MAX_IMAGE_BYTES}`);
    }
    if (imageTypeOf(content) !== mediaType) throw refused(uri, `is not ${mediaType}`);
    return content;
  };
}

function refused(uri: string, why: string): Error {
  return nonRetryable(FailureType.BadConfiguration, `The picture ${uri} ${why}.`);
}
