import type { DataSource } from 'typeorm';
import { writeFlowStatus } from '../../infra/database/flow-status.js';
import type { AskedFlowActivities } from '../../workflows/contracts/asked-flow.js';

/** What an asked flow writes about itself. It may be called again with the same input. */
export function createAskedFlowActivities(dataSource: DataSource): AskedFlowActivities {
  return { setFlowStatus: async (input) => void (await writeFlowStatus(dataSource, input)) };
}
