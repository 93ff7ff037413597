import { Body, Controller, Delete, Get, Headers, Param, Query, Res } from '@nestjs/common';
import { ApiConflictResponse, ApiOkResponse, ApiOperation, ApiTags } from '@nestjs/swagger';
import type { Response } from 'express';
import type { ApiKey } from '../../infra/database/entities/index.js';
import { Caller } from '../auth/project.decorator.js';
import { ApiErrorResponses } from '../common/api-error-responses.decorator.js';
import { named } from '../common/json-schema.js';
import type { List } from '../common/list.dto.js';
import { answerCreation, CreateNowRoute } from '../submissions/routes.js';
import {
  apiKeyListSchema,
  apiKeySchema,
  apiKeysQuery,
  createdApiKeySchema,
  newApiKeySchema,
  type ApiKeyDto,
  type ApiKeysQuery,
  type CreatedApiKeyDto,
  type NewApiKeyBody,
} from './api-key.dto.js';
import { KeysService } from './keys.service.js';

const PATH = 'v1/keys';
const KEY = { schema: named('ApiKey', apiKeySchema) };
const CREATED = { schema: named('CreatedApiKey', createdApiKeySchema) };

@ApiTags('keys')
@ApiErrorResponses()
@Controller(PATH)
export class KeysController {
  constructor(private readonly service: KeysService) {}

  @CreateNowRoute(
    {
      summary: 'Create an API key',
      description:
        'Needs `admin`, and every scope that the new key has. The answer shows the key; nothing shows it again. With ' +
        '`admin` in the project `default`, also for another project.',
    },
    {
      body: named('ApiKeyInput', newApiKeySchema, 'input'),
      repeated: 'API key, without the key itself',
      refused: 'It cannot be created so; the message says why.',
      conflict: 'The Idempotency-Key was used for another request.',
    },
    CREATED,
    'An earlier request with this key created it; `key` is null.',
  )
  async create(
    @Caller() caller: ApiKey,
    @Body({ schema: newApiKeySchema }) body: NewApiKeyBody,
    @Headers('idempotency-key') key: string | undefined,
    @Res({ passthrough: true }) response: Response,
  ): Promise<CreatedApiKeyDto> {
    const created = await this.service.create(caller, body, key);
    response.set('Cache-Control', 'no-store');
    return answerCreation(response, PATH, created);
  }

  @Get()
  @ApiOperation({
    summary: 'List the API keys of a project that were not revoked, newest first',
    description: 'Needs `admin`.',
  })
  @ApiOkResponse({ schema: named('ApiKeyList', apiKeyListSchema) })
  async list(@Caller() caller: ApiKey, @Query({ schema: apiKeysQuery }) query: ApiKeysQuery): Promise<List<ApiKeyDto>> {
    return this.service.list(caller, query);
  }

  @Get(':id')
  @ApiOperation({ summary: 'Get an API key, also one that was revoked', description: 'Needs `admin`.' })
  @ApiOkResponse(KEY)
  async get(@Caller() caller: ApiKey, @Param('id') id: string): Promise<ApiKeyDto> {
    return this.service.get(caller, id);
  }

  @Delete(':id')
  @ApiOperation({
    summary: 'Revoke an API key',
    description: 'Needs `admin`. The key is refused from then on. May be repeated.',
  })
  @ApiOkResponse(KEY)
  @ApiConflictResponse({ description: 'It is the last key that can make every other.' })
  async revoke(@Caller() caller: ApiKey, @Param('id') id: string): Promise<ApiKeyDto> {
    return this.service.revoke(caller, id);
  }
}
