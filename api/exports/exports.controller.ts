import { Controller, Get, Param, Query, Res } from '@nestjs/common';
import { ApiHeader, ApiOkResponse, ApiOperation, ApiResponse, ApiTags } from '@nestjs/swagger';
import type { Response } from 'express';
import { Project } from '../auth/project.decorator.js';
import { ApiErrorResponses } from '../common/api-error-responses.decorator.js';
import { named } from '../common/json-schema.js';
import type { List } from '../common/list.dto.js';
import { EndingRoutes } from '../submissions/routes.js';
import { exportListSchema, exportSchema, exportsQuery, type ExportDto, type ExportsQuery } from './export.dto.js';
import { ExportsService } from './exports.service.js';
import { sendFile } from './send-file.js';

const EXPORT = { schema: named('Export', exportSchema) };
const BYTES = { 'application/octet-stream': { schema: { type: 'string', format: 'binary' } } };
const ENDING = {
  cancel: { operation: { summary: 'Cancel an export' }, refused: 'The export has ended.' },
  revive: {
    operation: {
      summary: 'Try an export again that has failed, was cancelled, or whose workflow is gone',
      description: 'If its workflow is open, nothing happens.',
    },
    refused: 'The export is completed.',
  },
  remove: {
    operation: {
      summary: 'Delete an export that has ended, with its files',
      description: 'Its policy and the run of it stay. May be repeated.',
    },
    accepted: 'It is in no list any more; its files are being removed.',
    gone: 'Nothing of it is left.',
    refused: 'The export has not ended.',
  },
};

@ApiTags('exports')
@ApiErrorResponses()
@Controller('v1/exports')
export class ExportsController extends EndingRoutes<ExportDto>(EXPORT, ENDING) {
  constructor(override readonly service: ExportsService) {
    super();
  }

  @Get()
  @ApiOperation({ summary: 'List exports of policies, newest first, that all filters let pass' })
  @ApiOkResponse({ schema: named('ExportList', exportListSchema) })
  async list(
    @Project() project: string,
    @Query({ schema: exportsQuery }) query: ExportsQuery,
  ): Promise<List<ExportDto>> {
    return this.service.listBy(project, query);
  }

  @Get(':id')
  @ApiOperation({ summary: 'Get an export' })
  @ApiOkResponse(EXPORT)
  async get(@Project() project: string, @Param('id') id: string): Promise<ExportDto> {
    return this.service.get(project, id);
  }

  @Get(':id/files/:name')
  @ApiOperation({
    summary: 'Download a file of an export',
    description:
      'The ETag is the sha256 of the file. A broken download goes on with `Range`, and with `If-Range` it begins anew if the file is another.',
  })
  @ApiHeader({ name: 'Range', required: false, description: 'As in `bytes=1000-`.' })
  @ApiOkResponse({ description: 'The whole file.', content: BYTES })
  @ApiResponse({ status: 206, description: 'The part that `Range` asks for.', content: BYTES })
  @ApiResponse({ status: 416, description: 'The file has no such part; the message says its size.' })
  @ApiResponse({
    status: 500,
    description: '`export_damaged`: the file is missing, or not of the size that was exported.',
  })
  async download(
    @Project() project: string,
    @Param('id') id: string,
    @Param('name') name: string,
    @Res() response: Response,
  ): Promise<void> {
    await sendFile(response, await this.service.file(project, id, name));
  }
}
