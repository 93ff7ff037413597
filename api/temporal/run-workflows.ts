import { TypedSearchAttributes } from '@temporalio/common';
import type { TrainingRun } from '../../infra/database/entities/index.js';
import type { Decision, RunStatus } from '../../workflows/contracts/agent-activities.js';
import type { ChangeablePart } from '../../workflows/contracts/identity.js';
import { searchAttributes } from '../../workflows/contracts/search-attributes.js';
import { AGENT_TASK_QUEUE } from '../../workflows/contracts/task-queues.js';
import type { Training } from '../../workflows/contracts/training-config.js';
import type { TrainingRunInput, TrainingRunProgress } from '../../workflows/contracts/training-run.js';
import { WorkflowCalls } from './workflow-calls.js';

/** The API's only way to the `trainingRun` workflows: a workflow's id is its training run's id. */
export class RunWorkflows extends WorkflowCalls {
  /**
   * Starts the workflow of a queued run. Starting it twice is harmless.
   * @param deadlineMs how long to wait for the Temporal server
   * @returns false where the run's workflow has already ended
   */
  async start(run: TrainingRun, deadlineMs = this.deadlineMs): Promise<boolean> {
    return this.startOnce('trainingRun', this.startOptions(run), deadlineMs);
  }

  async pause(runId: string, now: boolean): Promise<RunStatus> {
    return this.update<RunStatus>(runId, 'pause', { now });
  }

  /** @param allow parts of the run's identity that have changed since it began, and with which it goes on */
  async resume(runId: string, allow: ChangeablePart[]): Promise<RunStatus> {
    return this.update<RunStatus>(runId, 'resume', { allow });
  }

  async stopAfterStep(runId: string): Promise<RunStatus> {
    return this.update<RunStatus>(runId, 'stopAfterStep');
  }

  async setLearningRate(runId: string, learningRate: number): Promise<void> {
    await this.update(runId, 'setLearningRate', learningRate);
  }

  async extend(runId: string, steps: number): Promise<void> {
    await this.update(runId, 'extend', steps);
  }

  async decide(runId: string, decision: Decision): Promise<RunStatus> {
    return this.update<RunStatus>(runId, 'decide', decision);
  }

  async progress(runId: string): Promise<TrainingRunProgress> {
    return this.call(this.deadlineMs, () =>
      this.client.workflow.getHandle(runId).query<TrainingRunProgress>('progress'),
    );
  }

  /** @throws where the Temporal server does not answer within `deadlineMs` */
  async ping(deadlineMs: number): Promise<void> {
    await this.call(deadlineMs, () => this.connection.workflowService.getSystemInfo({}));
  }

  private startOptions(run: TrainingRun) {
    const { config } = run;
    const input: TrainingRunInput = { runId: run.id, config, settings: this.settings };
    return {
      workflowId: run.id,
      taskQueue: AGENT_TASK_QUEUE,
      args: [input],
      staticSummary: `${config.name}: ${config.steps} steps of ${config.model}`,
      staticDetails: describeRun(run),
      typedSearchAttributes: new TypedSearchAttributes([
        { key: searchAttributes.trainingRun, value: run.id },
        { key: searchAttributes.runStatus, value: run.status },
      ]),
    };
  }
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
  if (training.objective === 'sft') {
    return `${training.samples_per_step} recorded turns of \`${training.trajectories.run}\` a step`;
  }
  return `${training.queries_per_step} queries x ${training.group_size} rollouts a step`;
}
