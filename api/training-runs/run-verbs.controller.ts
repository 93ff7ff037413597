import { Body, Controller, Get, Param, UseInterceptors } from '@nestjs/common';
import {
  ApiBody,
  ApiConflictResponse,
  ApiHeader,
  ApiOkResponse,
  ApiOperation,
  ApiPreconditionFailedResponse,
  ApiTags,
} from '@nestjs/swagger';
import { runUpdates, type TrainingRunProgress } from '../../contracts/messages.js';
import { Project } from '../auth/project.decorator.js';
import { ApiErrorResponses } from '../common/api-error-responses.decorator.js';
import { named } from '../common/json-schema.js';
import { EndingRoutes, VerbRoute } from '../submissions/routes.js';
import { trainingRunSchema, type TrainingRunDto } from './dto/training-run.dto.js';
import {
  decideBody,
  extendBody,
  learningRateBody,
  pauseBody,
  resumeBody,
  type DecideBody,
  type ExtendBody,
  type LearningRateBody,
  type PauseBody,
  type ResumeBody,
} from './dto/verbs.dto.js';
import { ETAG, RunTagsInterceptor } from './run-tags.interceptor.js';
import { TrainingRunsService } from './training-runs.service.js';

const RUN = { schema: named('TrainingRun', trainingRunSchema), headers: ETAG };
const ENDING = {
  cancel: { operation: { summary: 'Cancel: open rollouts end, the last finished step is kept as a checkpoint' } },
  revive: {
    operation: {
      summary: 'Continue a run whose workflow is gone',
      description:
        'After a termination by hand, a loss of Temporal’s database, a failure or a cancellation it goes on after its ' +
        'last committed step, to the same policy. If its workflow is open, nothing happens.',
    },
  },
  remove: {
    operation: {
      summary: 'Delete a run that has ended, with everything that belongs to it',
      description:
        'Its policies, checkpoints, batches, rollouts, turns, events, idempotency key and histories in Temporal. Refused ' +
        'while something unfinished uses it: a fork, a reference, a source of trajectories, a question, an evaluation, an export; ' +
        'and while a policy of it is pinned. May be repeated.',
    },
    accepted: 'It is in no list any more; its files and rows are being removed.',
    gone: 'Nothing of the run is left.',
  },
};

@ApiTags('training runs')
@ApiErrorResponses()
@ApiConflictResponse({ description: 'The run has ended, or it refuses the request.' })
@ApiHeader({
  name: 'If-Match',
  required: false,
  description: 'The ETag of an answer: the request is refused if the run has changed since.',
})
@ApiPreconditionFailedResponse({ description: 'The run is no longer as `If-Match` says.' })
@UseInterceptors(RunTagsInterceptor)
@Controller('v1/training_runs')
export class RunVerbsController extends EndingRoutes<TrainingRunDto>(RUN, ENDING) {
  constructor(override readonly service: TrainingRunsService) {
    super();
  }

  @VerbRoute(':id/pause', { summary: 'Pause after the current step, or now' }, RUN)
  @ApiBody({ schema: named('Pause', pauseBody, 'input'), required: false })
  async pause(
    @Project() project: string,
    @Param('id') id: string,
    @Body({ schema: pauseBody }) { now }: PauseBody,
  ): Promise<TrainingRunDto> {
    return this.service.tell(project, id, 'paused', runUpdates.pause, { now });
  }

  @VerbRoute(':id/resume', { summary: 'Resume a paused run' }, RUN)
  @ApiBody({ schema: named('Resume', resumeBody, 'input'), required: false })
  async resume(
    @Project() project: string,
    @Param('id') id: string,
    @Body({ schema: resumeBody }) { allow }: ResumeBody,
  ): Promise<TrainingRunDto> {
    return this.service.tell(project, id, 'resumed', runUpdates.resume, { allow });
  }

  @VerbRoute(':id/stop', { summary: 'Finish the current step, evaluate and complete' }, RUN)
  async stop(@Project() project: string, @Param('id') id: string): Promise<TrainingRunDto> {
    return this.service.tell(project, id, 'stopped', runUpdates.stopAfterStep);
  }

  @VerbRoute(':id/learning_rate', { summary: 'Change the learning rate from the next batch on' }, RUN)
  async setLearningRate(
    @Project() project: string,
    @Param('id') id: string,
    @Body({ schema: learningRateBody }) body: LearningRateBody,
  ): Promise<TrainingRunDto> {
    return this.service.tell(project, id, 'changed', runUpdates.setLearningRate, body.learning_rate);
  }

  @VerbRoute(':id/extend', { summary: 'Raise the number of steps of an unfinished run' }, RUN)
  async extend(
    @Project() project: string,
    @Param('id') id: string,
    @Body({ schema: extendBody }) body: ExtendBody,
  ): Promise<TrainingRunDto> {
    return this.service.tell(project, id, 'extended', runUpdates.extend, body.steps);
  }

  @VerbRoute(
    ':id/decide',
    {
      summary: 'Decide about a step whose loss was not finite',
      description:
        'Leave groups out of the step, make no update in it, or take it again with another learning rate. ' +
        'The decision is frozen with the batch, and the run goes on.',
    },
    RUN,
  )
  @ApiBody({ schema: named('Decision', decideBody, 'input') })
  async decide(
    @Project() project: string,
    @Param('id') id: string,
    @Body({ schema: decideBody }) body: DecideBody,
  ): Promise<TrainingRunDto> {
    const decision = body.kind === 'learning-rate' ? { kind: body.kind, learningRate: body.learning_rate } : body;
    return this.service.tell(project, id, 'decided about', runUpdates.decide, decision);
  }

  @Get(':id/progress')
  @ApiOperation({ summary: 'Ask the workflow of a run how far it is' })
  @ApiOkResponse({ description: 'The answer of the workflow query `progress`.' })
  async progress(@Project() project: string, @Param('id') id: string): Promise<TrainingRunProgress> {
    return this.service.progress(project, id);
  }
}
