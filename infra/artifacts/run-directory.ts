import type { ArtifactStore } from './artifact-store.js';

/** Where everything that a training run keeps in the artifact store lies. */
export function runDirectory(runId: string): string {
  return `runs/${runId}`;
}

/** Where the files of an export lie, beside what killed attempts left of it. */
export function exportDirectory(exportId: string): string {
  return `exports/${exportId}`;
}

/** The path of a file of an export. */
export function exportedFile(exportId: string, name: string): string {
  return `${exportDirectory(exportId)}/files/${name}`;
}

/** Removes what was written for a run that had been deleted. It may be repeated. */
export async function removeRunDirectory(artifacts: ArtifactStore, runId: string): Promise<void> {
  await artifacts.discard(runDirectory(runId));
  await artifacts.deleteDiscarded(runDirectory(runId));
}
