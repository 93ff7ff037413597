import type { TrajectoryActivities } from '../../contracts/agent-activities.js';
import { freezeBatch, freezeRecordedBatch, type FreezeDependencies } from './freeze-batch.js';
import { recordRollout } from './record-rollout.js';

export function createTrajectoryActivities(dependencies: FreezeDependencies): TrajectoryActivities {
  return {
    recordRollout: (input) => recordRollout(dependencies.dataSource, input),
    freezeBatch: (input) => freezeBatch(dependencies, input),
    freezeRecordedBatch: (input) => freezeRecordedBatch(dependencies, input),
  };
}
