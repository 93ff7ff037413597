import { Body, Controller, Get, HttpCode, Param, Post } from '@nestjs/common';
import { ApiBody, ApiConflictResponse, ApiOkResponse, ApiOperation, ApiTags } from '@nestjs/swagger';
import type { TrainingRunProgress } from '../../workflows/contracts/training-run.js';
import { Project } from '../auth/project.decorator.js';
import { ApiErrorResponses } from '../common/api-error-responses.decorator.js';
import { named } from '../common/json-schema.js';
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
import { RunVerbsService } from './run-verbs.service.js';

const RUN = { schema: named('TrainingRun', trainingRunSchema) };

@ApiTags('training runs')
@ApiErrorResponses()
@ApiConflictResponse({ description: 'The run is finished, or refuses.' })
@Controller('v1/training_runs/:id')
export class RunVerbsController {
  constructor(private readonly service: RunVerbsService) {}

  @Post('pause')
  @HttpCode(200)
  @ApiOperation({ summary: 'Pause after the current step, or now' })
  @ApiBody({ schema: named('Pause', pauseBody, 'input'), required: false })
  @ApiOkResponse(RUN)
  async pause(
    @Project() project: string,
    @Param('id') id: string,
    @Body({ schema: pauseBody }) { now }: PauseBody,
  ): Promise<TrainingRunDto> {
    return this.service.pause(project, id, now);
  }

  @Post('resume')
  @HttpCode(200)
  @ApiOperation({ summary: 'Resume a paused run' })
  @ApiBody({ schema: named('Resume', resumeBody, 'input'), required: false })
  @ApiOkResponse(RUN)
  async resume(
    @Project() project: string,
    @Param('id') id: string,
    @Body({ schema: resumeBody }) { allow }: ResumeBody,
  ): Promise<TrainingRunDto> {
    return this.service.resume(project, id, allow);
  }

  @Post('stop')
  @HttpCode(200)
  @ApiOperation({ summary: 'Finish the current step, evaluate and complete' })
  @ApiOkResponse(RUN)
  async stop(@Project() project: string, @Param('id') id: string): Promise<TrainingRunDto> {
    return this.service.stop(project, id);
  }

  @Post('cancel')
  @HttpCode(200)
  @ApiOperation({ summary: 'Cancel: open rollouts end, the last finished step is kept as a checkpoint' })
  @ApiOkResponse(RUN)
  async cancel(@Project() project: string, @Param('id') id: string): Promise<TrainingRunDto> {
    return this.service.cancel(project, id);
  }

  @Post('learning_rate')
  @HttpCode(200)
  @ApiOperation({ summary: 'Change the learning rate from the next batch on' })
  @ApiOkResponse(RUN)
  async setLearningRate(
    @Project() project: string,
    @Param('id') id: string,
    @Body({ schema: learningRateBody }) body: LearningRateBody,
  ): Promise<TrainingRunDto> {
    return this.service.setLearningRate(project, id, body.learning_rate);
  }

  @Post('extend')
  @HttpCode(200)
  @ApiOperation({ summary: 'Raise the number of steps of an unfinished run' })
  @ApiOkResponse(RUN)
  async extend(
    @Project() project: string,
    @Param('id') id: string,
    @Body({ schema: extendBody }) body: ExtendBody,
  ): Promise<TrainingRunDto> {
    return this.service.extend(project, id, body.steps);
  }

  @Post('decide')
  @HttpCode(200)
  @ApiOperation({
    summary: 'Decide about a step whose loss was not finite',
    description:
      'Leave groups out of the step, make no update in it, or take it again with another learning rate. ' +
      'The decision is frozen with the batch, and the run goes on.',
  })
  @ApiBody({ schema: named('Decision', decideBody, 'input') })
  @ApiOkResponse(RUN)
  async decide(
    @Project() project: string,
    @Param('id') id: string,
    @Body({ schema: decideBody }) decision: DecideBody,
  ): Promise<TrainingRunDto> {
    return this.service.decide(project, id, decision);
  }

  @Get('progress')
  @ApiOperation({ summary: "The workflow's own account of where it is" })
  @ApiOkResponse({ description: 'The answer of the workflow query `progress`.' })
  async progress(@Project() project: string, @Param('id') id: string): Promise<TrainingRunProgress> {
    return this.service.progress(project, id);
  }
}
