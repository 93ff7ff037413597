/**
 * The search attributes that the workflows set, each in the form of Temporal's SearchAttributeKey. They are registered
 * by the local stack, or by the worker at start if the cluster allows it.
 */
export const searchAttributes = {
  /** Of the key that submitted it. Workflows that older versions started have none. */
  project: { name: 'Project', type: 'KEYWORD' },
  trainingRun: { name: 'TrainingRun', type: 'KEYWORD' },
  trainingStep: { name: 'TrainingStep', type: 'INT' },
  policy: { name: 'Policy', type: 'KEYWORD' },
  benchmark: { name: 'Benchmark', type: 'KEYWORD' },
  runStatus: { name: 'RunStatus', type: 'KEYWORD' },
} as const;
