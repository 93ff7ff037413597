import { Injectable, type CallHandler, type ExecutionContext, type NestInterceptor } from '@nestjs/common';
import type { Response } from 'express';
import { tap, type Observable } from 'rxjs';
import { callerOf } from '../auth/project.decorator.js';
import type { AuthenticatedRequest } from '../auth/authenticated-request.js';
import { etagOf, requireMatch } from '../common/etag.js';
import type { TrainingRunDto } from './dto/training-run.dto.js';
import { TrainingRunsService } from './training-runs.service.js';

/** In the API's description, of an answer that shows a run. */
export const ETAG = {
  ETag: { description: 'Changes with everything that is shown.', schema: { type: 'string' as const } },
};

/**
 * Gives every answer that shows a run its ETag, and refuses what was asked with the tag of another state. It is compared
 * when the request arrives: the workflow goes on by itself meanwhile.
 */
@Injectable()
export class RunTagsInterceptor implements NestInterceptor {
  constructor(private readonly runs: TrainingRunsService) {}

  async intercept(context: ExecutionContext, handler: CallHandler): Promise<Observable<unknown>> {
    const http = context.switchToHttp();
    const { headers, params } = http.getRequest<AuthenticatedRequest>();
    const ifMatch = headers['if-match'];
    if (ifMatch !== undefined) {
      requireMatch(ifMatch, etagOf(await this.runs.get(callerOf(context).project, String(params['id']))));
    }
    const response = http.getResponse<Response>();
    return handler.handle().pipe(
      tap((shown: unknown) => {
        if (isRun(shown)) response.set('ETag', etagOf(shown));
      }),
    );
  }
}

function isRun(shown: unknown): shown is TrainingRunDto {
  return (shown as Partial<TrainingRunDto> | undefined)?.object === 'training_run';
}
