import { defineSearchAttributeKey, SearchAttributeType } from '@temporalio/common';

/** Registered by the local stack, or by the worker at start where the cluster allows it (design 4). */
export const searchAttributes = {
  trainingRun: defineSearchAttributeKey('TrainingRun', SearchAttributeType.KEYWORD),
  trainingStep: defineSearchAttributeKey('TrainingStep', SearchAttributeType.INT),
  policy: defineSearchAttributeKey('Policy', SearchAttributeType.KEYWORD),
  benchmark: defineSearchAttributeKey('Benchmark', SearchAttributeType.KEYWORD),
  runStatus: defineSearchAttributeKey('RunStatus', SearchAttributeType.KEYWORD),
};
