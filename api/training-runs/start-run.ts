import { TypedSearchAttributes } from '@temporalio/common';
import type { TrainingRun } from '../../infra/database/entities/index.js';
import { searchAttributes } from '../../contracts/search-attributes.js';
import type { Training } from '../../contracts/training-config.js';
import { isRecorded } from '../../contracts/training-parts.js';
import type { TrainingRunInput } from '../../contracts/training-run.js';
import type { WorkflowStart } from '../temporal/workflows.js';

/** Where a run goes on after its workflow was gone. */
export type RevivedInput = Required<Pick<TrainingRunInput, 'state' | 'revived'>>;

/**
 * How the workflow of a queued run is started.
 * @param revived where it goes on, if it was queued again
 */
export function startOfRun(run: TrainingRun, revived?: RevivedInput): WorkflowStart {
  const { id, config, status } = run;
  const input: Omit<TrainingRunInput, 'settings'> = { runId: id, config, ...revived };
  return {
    input,
    isNext: revived !== undefined,
    staticSummary: `${config.name}: ${config.steps} steps of ${config.model}`,
    staticDetails: describeRun(run),
    typedSearchAttributes: new TypedSearchAttributes([
      { key: searchAttributes.trainingRun, value: id },
      { key: searchAttributes.runStatus, value: status },
    ]),
  };
}

/** Markdown for the Temporal UI. */
function describeRun({ id, config }: TrainingRun): string {
  const { dataset, flow, training } = config;
  return [
    `**${config.name}** (\`${id}\`)`,
    `- model \`${config.model}\`, seed ${config.seed}, ${config.steps} steps`,
    `- dataset \`${dataset.name}\`, tools ${flow.tools.map((tool) => `\`${tool}\``).join(', ')}, at most ${flow.max_turns} turns`,
    `- ${describeStep(training)}, learning rate ${training.learning_rate}`,
  ].join('\n');
}

function describeStep(training: Training): string {
  if (isRecorded(training)) {
    return `${training.samples_per_step} recorded turns of \`${training.trajectories.run}\` a step`;
  }
  return `${training.queries_per_step} queries x ${training.group_size} rollouts a step`;
}
