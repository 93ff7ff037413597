import { Injectable } from '@nestjs/common';
import { WorkflowNotFoundError } from '@temporalio/client';
import type { TrainingRun } from '../../infra/database/entities/index.js';
import { isFinished } from '../../infra/database/run-status.js';
import type { ChangeablePart } from '../../workflows/contracts/identity.js';
import type { TrainingRunProgress } from '../../workflows/contracts/training-run.js';
import { conflict } from '../common/api-error.js';
import { RunWorkflows } from '../temporal/run-workflows.js';
import type { TrainingRunDto } from './dto/training-run.dto.js';
import type { DecideBody } from './dto/verbs.dto.js';
import { TrainingRunsService } from './training-runs.service.js';

/** What can be asked of a run that is not finished. The workflow decides and answers; the API writes no status. */
@Injectable()
export class RunVerbsService {
  constructor(
    private readonly runs: TrainingRunsService,
    private readonly workflows: RunWorkflows,
  ) {}

  async pause(project: string, id: string, now: boolean): Promise<TrainingRunDto> {
    return this.act(project, id, 'paused', () => this.workflows.pause(id, now));
  }

  async resume(project: string, id: string, allow: ChangeablePart[]): Promise<TrainingRunDto> {
    return this.act(project, id, 'resumed', () => this.workflows.resume(id, allow));
  }

  async stop(project: string, id: string): Promise<TrainingRunDto> {
    return this.act(project, id, 'stopped', () => this.workflows.stopAfterStep(id));
  }

  async cancel(project: string, id: string): Promise<TrainingRunDto> {
    return this.act(project, id, 'cancelled', () => this.workflows.cancel(id));
  }

  async setLearningRate(project: string, id: string, learningRate: number): Promise<TrainingRunDto> {
    return this.act(project, id, 'changed', () => this.workflows.setLearningRate(id, learningRate));
  }

  async extend(project: string, id: string, steps: number): Promise<TrainingRunDto> {
    return this.act(project, id, 'extended', () => this.workflows.extend(id, steps));
  }

  async decide(project: string, id: string, body: DecideBody): Promise<TrainingRunDto> {
    const decision = body.kind === 'learning-rate' ? { kind: body.kind, learningRate: body.learning_rate } : body;
    return this.act(project, id, 'decided about', () => this.workflows.decide(id, decision));
  }

  /** The workflow's own account, newer than what the database holds. */
  async progress(project: string, id: string): Promise<TrainingRunProgress> {
    await this.startIfQueued(await this.runs.load(project, id));
    return this.workflows.progress(id);
  }

  /** @returns the run, with the status that the workflow answered where it did */
  private async act(
    project: string,
    id: string,
    done: string,
    verb: () => Promise<TrainingRun['status'] | void>,
  ): Promise<TrainingRunDto> {
    const run = await this.runs.load(project, id);
    if (isFinished(run.status)) throw alreadyFinished(run, done);
    await this.startIfQueued(run);
    try {
      const status = await verb();
      return { ...(await this.runs.get(project, id)), ...(status && { status }) };
    } catch (error) {
      if (error instanceof WorkflowNotFoundError) throw alreadyFinished(await this.runs.load(project, id), done);
      throw error;
    }
  }

  /** A run whose workflow has not been started has nobody to answer; starting is harmless where it has. */
  private async startIfQueued(run: TrainingRun): Promise<void> {
    if (run.status === 'queued') await this.workflows.start(run);
  }
}

function alreadyFinished(run: TrainingRun, done: string): Error {
  const state = isFinished(run.status) ? run.status : `${run.status}, but its workflow has ended`;
  return conflict('run_finished', `${run.id} is ${state}; it cannot be ${done}.`, { param: 'id' });
}
