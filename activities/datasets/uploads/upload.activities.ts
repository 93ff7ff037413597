import { cancellationSignal } from '@temporalio/activity';
import type { DataSource } from 'typeorm';
import { FailureType } from '../../../contracts/failures.js';
import type { UploadActivities, UploadCheck } from '../../../contracts/uploaded-dataset.js';
import type { ArtifactStore } from '../../../infra/artifacts/artifact-store.js';
import { UploadedDataset } from '../../../infra/database/entities/index.js';
import { nonRetryable } from '../../failures/non-retryable.js';
import type { OpenUpload } from '../items/item-store.js';
import { readInChild } from './read-in-child.js';
import { uploadRegistration } from './upload-registration.js';

export interface UploadDependencies {
  dataSource: DataSource;
  artifacts: ArtifactStore;
  /** What reads a file; a process of its own if absent. */
  read?: typeof readInChild;
}

/** The check of uploaded datasets. It may be called again: what came of a file is the same. */
export function createUploadActivities({
  dataSource,
  artifacts,
  read = readInChild,
}: UploadDependencies): UploadActivities {
  return {
    checkUpload: async ({ id }) => {
      const upload = await dataSource.getRepository(UploadedDataset).findOneBy({ id, status: 'checking' });
      if (!upload) return;
      const { name, layout, uri, sha256 } = upload;
      const path = await artifacts.localFile(uri, sha256);
      await write(dataSource, upload, await read({ path, name, layout }, cancellationSignal()));
    },
  };
}

/** Where the file of an upload is, and how it is read. Fails with NotFound if it is not there, or not ready. */
export function uploadOpener(dataSource: DataSource, artifacts: ArtifactStore): OpenUpload {
  return async (id) => {
    const upload = await dataSource.getRepository(UploadedDataset).findOneBy({ id, status: 'ready' });
    if (!upload) throw nonRetryable(FailureType.NotFound, `There is no uploaded dataset "${id}" that is ready.`);
    return uploadRegistration(await artifacts.localFile(upload.uri, upload.sha256), upload.layout);
  };
}

/** A file with a mistake is refused whole: nothing of what somebody uploaded is left out unseen (I16). */
async function write(
  dataSource: DataSource,
  { id, project, name }: UploadedDataset,
  check: UploadCheck,
): Promise<void> {
  const { report, mistakes, preview } = check;
  const status = report && mistakes.count === 0 ? 'ready' : 'refused';
  await dataSource.transaction(async (manager) => {
    const row = { status, report, mistakes, preview, checkedAt: new Date() } as const;
    const { affected } = await manager.update(UploadedDataset, { id, status: 'checking' }, row);
    if (affected === 0) return;
    const data =
      report && status === 'ready'
        ? { name, training: report.training, held_out: report.held_out, questions_sha256: report.questions_sha256 }
        : { name, mistakes: mistakes.count, message: mistakes.first[0]?.message ?? '' };
    const told = [project, `dataset.${status}`, name, JSON.stringify(data)];
    await manager.query('SELECT append_project_event($1, $2, $3, $4::jsonb, now())', told);
  });
}
