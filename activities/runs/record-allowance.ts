import type { DataSource } from 'typeorm';
import { appendEvent } from '../../infra/database/run-events.js';
import type { RecordAllowanceInput } from '../../contracts/agent-activities.js';

/** Writes the event of an allowance once. */
export async function recordAllowance(dataSource: DataSource, input: RecordAllowanceInput): Promise<void> {
  const { runId, version, step, parts, was, is } = input;
  await dataSource.transaction(async (manager) => {
    const key = `identity/${version}/${parts.join(',')}`;
    await appendEvent(manager, runId, key, 'identity.allowed', { parts, from_step: step, was, is });
  });
}
