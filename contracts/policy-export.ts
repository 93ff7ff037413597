import type { RunFailure } from './failures.js';
import type { RowWriter } from './row-writer.js';
import type { RunSettings } from './run-settings.js';

export type ExportStatus = 'queued' | 'running' | 'completed' | 'failed' | 'cancelled';

/** Which status of an export may follow which. */
export const NEXT_EXPORT_STATUSES: Record<ExportStatus, readonly ExportStatus[]> = {
  queued: ['running', 'failed', 'cancelled'],
  running: ['completed', 'failed', 'cancelled'],
  completed: [],
  failed: [],
  cancelled: [],
};

export interface ExportedFile {
  name: string;
  bytes: number;
  sha256: string;
}

export interface PolicyExportInput {
  id: string;
  /** `<run>@<step>`. */
  policy: string;
  merged: boolean;
  settings: RunSettings;
  /** Version of the export's last status, if it goes on after its workflow was gone; 0 if absent. */
  version?: number;
}

export interface SetExportStatusInput {
  id: string;
  /** Supplied by the workflow, ascending: an older version never overwrites a newer one. */
  version: number;
  status: ExportStatus;
  /** With `completed`. */
  files?: ExportedFile[];
  failure?: RunFailure;
  writer: RowWriter;
}

/** What an export writes about itself. */
export interface ExportActivities {
  setExportStatus(input: SetExportStatusInput): Promise<void>;
}
