import { fileURLToPath } from 'node:url';
import type { ArtifactStore } from './artifact-store.js';
import { FileArtifactStore } from './file-artifact-store.js';

/** The store at a root URI (AGENTFLOW_ARTIFACTS): `file:///absolute/directory`. */
export function openArtifactStore(root: string): ArtifactStore {
  if (!root.startsWith('file:///')) {
    throw new Error(`The artifact root "${root}" is not supported: use file:///absolute/directory.`);
  }
  return new FileArtifactStore(fileURLToPath(root));
}
