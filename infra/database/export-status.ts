import type { DataSource } from 'typeorm';
import { NEXT_EXPORT_STATUSES, type SetExportStatusInput } from '../../contracts/policy-export.js';
import { PolicyExport } from './entities/policy-export.entity.js';
import { writeStatus } from './submission-rows.js';

/** Writes how an export stands, as writeStatus() does, and its files with the status that says that they are there. */
export async function writeExportStatus({ manager }: DataSource, input: SetExportStatusInput): Promise<void> {
  await writeStatus(manager, PolicyExport, NEXT_EXPORT_STATUSES, input, { files: input.files ?? null });
}
