import { Inject, Injectable } from '@nestjs/common';
import { DataSource, type EntityManager } from 'typeorm';
import type { ArtifactStore, ReceivedFile } from '../../infra/artifacts/artifact-store.js';
import { UploadedDataset } from '../../infra/database/entities/index.js';
import { ARTIFACTS } from '../dependencies.module.js';

const DIRECTORY = 'datasets';
/** First half of the keys of the advisory locks on files; the second half is the file. */
const LOCKS = 4_126_533;
/** An upload that goes on writes more often by far. */
const ABANDONED_MS = 10 * 60 * 1000;

/** The files of uploads, each once under its sha256, whichever projects uploaded it. */
@Injectable()
export class StoredUploads {
  constructor(
    private readonly dataSource: DataSource,
    @Inject(ARTIFACTS) private readonly artifacts: ArtifactStore,
  ) {}

  async receive(content: AsyncIterable<Uint8Array>): Promise<ReceivedFile> {
    return this.artifacts.receive(DIRECTORY, content);
  }

  /**
   * Makes sure that the file is there when the caller's transaction commits, which writes a row that names it: none is removed
   * before.
   */
  async keep(manager: EntityManager, file: ReceivedFile, format: string): Promise<string> {
    await manager.query(`SELECT pg_advisory_xact_lock_shared(${LOCKS}, hashtext($1))`, [file.sha256]);
    return (await file.keep(pathOf(`${file.sha256}.${format}`))).uri;
  }

  /** Removes a file that no row names. It may be repeated; what a process that dies leaves, `sweep` finds. */
  async free(name: string): Promise<void> {
    await this.dataSource.transaction(async (manager) => {
      const [sha256, format] = name.split('.') as [string, UploadedDataset['format']];
      await manager.query(`SELECT pg_advisory_xact_lock(${LOCKS}, hashtext($1))`, [sha256]);
      if (!(await manager.existsBy(UploadedDataset, { sha256, format }))) await this.artifacts.discard(pathOf(name));
    });
    await this.artifacts.deleteDiscarded(pathOf(name));
  }

  /** Removes what uploads and deletions left that were broken off by the end of their process. */
  async sweep(): Promise<void> {
    for (const name of await this.artifacts.sweepReceived(DIRECTORY, ABANDONED_MS)) await this.free(name);
  }
}

function pathOf(name: string): string {
  return `${DIRECTORY}/${name}`;
}
