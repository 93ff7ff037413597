import { Controller, Delete, Get, Headers, HttpCode, HttpStatus, Param, Post, Query, Req, Res } from '@nestjs/common';
import {
  ApiBadRequestResponse,
  ApiConflictResponse,
  ApiConsumes,
  ApiBody,
  ApiCreatedResponse,
  ApiHeader,
  ApiNoContentResponse,
  ApiOkResponse,
  ApiOperation,
  ApiPayloadTooLargeResponse,
  ApiResponse,
  ApiTags,
} from '@nestjs/swagger';
import type { Request, Response } from 'express';
import { Project } from '../auth/project.decorator.js';
import { ApiError } from '../common/api-error.js';
import { ApiErrorResponses } from '../common/api-error-responses.decorator.js';
import { liftDeadline } from '../common/deadline.middleware.js';
import { named } from '../common/json-schema.js';
import type { List } from '../common/list.dto.js';
import { answerCreation } from '../submissions/routes.js';
import {
  datasetListSchema,
  datasetRowListSchema,
  datasetsQuery,
  datasetWithCheckSchema,
  rowsQuery,
  type DatasetDto,
  type DatasetRowDto,
  type DatasetsQuery,
  type DatasetWithCheckDto,
  type RowsQuery,
} from './dataset.dto.js';
import { DatasetsService } from './datasets.service.js';
import { uploadQuery, type UploadQuery } from './upload-query.dto.js';

const PATH = 'v1/datasets';
const DATASET = { schema: named('DatasetWithCheck', datasetWithCheckSchema) };

@ApiTags('datasets')
@ApiErrorResponses()
@Controller(PATH)
export class DatasetsController {
  constructor(private readonly datasets: DatasetsService) {}

  @Post()
  @ApiOperation({
    summary: 'Upload a dataset: a file as the body',
    description:
      'Needs `submit`. The body is the file itself, with its media type; the query says what it is called and where its ' +
      'questions and answers are. It is checked in the background: `upload.status` becomes `ready` or `refused`.',
  })
  @ApiConsumes('application/jsonl', 'text/csv', 'application/vnd.apache.parquet')
  @ApiBody({ schema: { type: 'string', format: 'binary' } })
  @ApiHeader({
    name: 'Idempotency-Key',
    required: false,
    description: 'A second request with the same key, query and file returns the same dataset.',
  })
  @ApiCreatedResponse({ ...DATASET, description: 'It is being checked.' })
  @ApiOkResponse({ ...DATASET, description: 'An earlier request with this key created it.' })
  @ApiBadRequestResponse({ description: 'The query cannot be accepted, or the body did not arrive whole.' })
  @ApiConflictResponse({
    description: 'The name is taken, the key was used with another file, or there are 200 uploads.',
  })
  @ApiPayloadTooLargeResponse({ description: 'The file is larger than `api.dataset_bytes` of the operator’s file.' })
  @ApiResponse({ status: HttpStatus.INSUFFICIENT_STORAGE, description: 'The disk of the artifact store is full.' })
  async upload(
    @Project() project: string,
    @Query({ schema: uploadQuery }) query: UploadQuery,
    @Headers('idempotency-key') key: string | undefined,
    @Req() request: Request,
    @Res({ passthrough: true }) response: Response,
  ): Promise<DatasetWithCheckDto> {
    liftDeadline(response);
    try {
      return answerCreation(response, PATH, await this.datasets.upload(project, request, query, key));
    } catch (error) {
      // What still comes is thrown away, so that the client can read the answer.
      request.resume();
      if (error instanceof ApiError && error.status === 408) response.set('Connection', 'close');
      throw error;
    }
  }

  @Get()
  @ApiOperation({ summary: 'List the datasets that the operator registered, and those that the project uploaded' })
  @ApiOkResponse({ schema: named('DatasetList', datasetListSchema) })
  async list(
    @Project() project: string,
    @Query({ schema: datasetsQuery }) query: DatasetsQuery,
  ): Promise<List<DatasetDto>> {
    return this.datasets.list(project, query);
  }

  @Get(':id')
  @ApiOperation({ summary: 'Get a dataset by its name, with what was found in it' })
  @ApiOkResponse(DATASET)
  async get(@Project() project: string, @Param('id') id: string): Promise<DatasetWithCheckDto> {
    return this.datasets.get(project, id);
  }

  @Get(':id/rows')
  @ApiOperation({
    summary: 'Preview an uploaded dataset: its first 100 questions as they were read',
    description: 'In the order of the file. Long texts are cut.',
  })
  @ApiOkResponse({ schema: named('DatasetRowList', datasetRowListSchema) })
  @ApiConflictResponse({ description: 'It is being checked, or the operator registered it.' })
  async listRows(
    @Project() project: string,
    @Param('id') id: string,
    @Query({ schema: rowsQuery }) query: RowsQuery,
  ): Promise<List<DatasetRowDto>> {
    return this.datasets.listRows(project, id, query);
  }

  @Delete(':id')
  @HttpCode(HttpStatus.NO_CONTENT)
  @ApiOperation({ summary: 'Delete an uploaded dataset that no run and no evaluation names' })
  @ApiNoContentResponse({ description: 'Nothing of it is left.' })
  @ApiConflictResponse({ description: 'It is used, and the message names by what; or the operator registered it.' })
  async remove(@Project() project: string, @Param('id') id: string): Promise<void> {
    await this.datasets.remove(project, id);
  }
}
