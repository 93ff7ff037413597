import type { ArtifactStore } from '../../../infra/artifacts/artifact-store.js';
import { FailureType } from '../../../workflows/contracts/failures.js';
import type { ImageRef } from '../../../workflows/contracts/flow.js';
import { nonRetryable } from '../../failures/non-retryable.js';

/** What most providers take at most, for one picture. */
const MAX_BYTES = 4 * 1024 * 1024;

/** How the files of each type begin, in hexadecimal. `RIFF` of WebP is followed by its length. */
const SIGNATURES: Record<ImageRef['mediaType'], RegExp> = {
  'image/png': /^89504e470d0a1a0a/,
  'image/jpeg': /^ffd8ff/,
  'image/webp': /^52494646.{8}57454250/,
  'image/gif': /^474946383[79]61/,
};

export type ImageReader = (image: ImageRef) => Promise<Uint8Array>;

/**
 * Reads pictures of questions from the artifact store and from nowhere else.
 * Fails with BadConfiguration where a file is not a picture of its type or too large.
 */
export function createImageReader(artifacts: ArtifactStore): ImageReader {
  return async ({ uri, sha256, mediaType }) => {
    const content = await artifacts.readFile(uri, sha256);
    if (content.length > MAX_BYTES) throw refused(uri, `has ${content.length} bytes, more than ${MAX_BYTES}`);
    if (!SIGNATURES[mediaType]?.test(content.toString('hex', 0, 16))) throw refused(uri, `is not ${mediaType}`);
    return content;
  };
}

function refused(uri: string, why: string): Error {
  return nonRetryable(FailureType.BadConfiguration, `The picture ${uri} ${why}.`);
}
