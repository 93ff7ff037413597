import { CancellationScope, condition, isCancellation, patched, setHandler } from '@temporalio/workflow';
import { exportBegun } from '../contracts/messages.js';
import type { PolicyExportInput, SetExportStatusInput } from '../contracts/policy-export.js';
import { exportCalls, runCalls } from './calls.js';
import { lastFailure } from './failed-calls.js';
import { rowWriter } from './row-writer.js';

/**
 * Has the files of a policy written into the artifact store. It is queued until a trainer says that it begins. What fails
 * is told once; it is tried again if revived.
 */
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
  const { exportPolicy } = exportCalls(settings);
  const start = () => exportPolicy.executeWithOptions({ summary: policy }, [{ export_id: id, policy, merged }]);
  let begun = false;
  setHandler(exportBegun, () => void (begun = true));
  const made = async () => {
    if (!patched('queued-until-begun')) {
      await tell({ status: 'running' });
      return start();
    }
    const making = start();
    // An older trainer does not say that it begins. A cancelled export ends when the trainer has let go of its files.
    await CancellationScope.nonCancellable(() => Promise.race([condition(() => begun), making]));
    const [result] = await Promise.all([making, CancellationScope.nonCancellable(() => tell({ status: 'running' }))]);
    return result;
  };
  try {
    const { files } = await made();
    await CancellationScope.nonCancellable(() => tell({ status: 'completed', files }));
  } catch (error) {
    const end = isCancellation(error)
      ? { status: 'cancelled' as const }
      : { status: 'failed' as const, failure: lastFailure(error) };
    await CancellationScope.nonCancellable(() => tell(end));
    throw error;
  }
}
