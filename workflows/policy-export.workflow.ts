import { CancellationScope, isCancellation } from '@temporalio/workflow';
import type { PolicyExportInput, SetExportStatusInput } from '../contracts/policy-export.js';
import { exportCalls, runCalls } from './calls.js';
import { lastFailure } from './failed-calls.js';
import { rowWriter } from './row-writer.js';

/** Has the files of a policy written into the artifact store. What fails is told once; it is tried again if revived. */
export async function policyExport({
  id,
  policy,
  merged,
  settings,
  version: last = 0,
}: PolicyExportInput): Promise<void> {
  const { setExportStatus } = runCalls(settings);
  let version = last;
  const tell = (status: Omit<SetExportStatusInput, 'id' | 'version' | 'writer'>) => {
    version += 1;
    const entry = { id, version, writer: rowWriter(), ...status };
    return setExportStatus.executeWithOptions({ summary: status.status }, [entry]);
  };
  try {
    await tell({ status: 'running' });
    const { exportPolicy } = exportCalls(settings);
    const request = { export_id: id, policy, merged };
    const { files } = await exportPolicy.executeWithOptions({ summary: policy }, [request]);
    await CancellationScope.nonCancellable(() => tell({ status: 'completed', files }));
  } catch (error) {
    const end = isCancellation(error)
      ? { status: 'cancelled' as const }
      : { status: 'failed' as const, failure: lastFailure(error) };
    await CancellationScope.nonCancellable(() => tell(end));
    throw error;
  }
}
