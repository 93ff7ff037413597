import { Controller, Get, Inject, Query } from '@nestjs/common';
import { ApiOkResponse, ApiOperation, ApiTags } from '@nestjs/swagger';
import { DataSource, In } from 'typeorm';
import { z } from 'zod';
import type { OperatorFile } from '../../infra/config/operator-file.js';
import { ToolDescription } from '../../infra/database/entities/index.js';
import { ApiErrorResponses } from '../common/api-error-responses.decorator.js';
import { named } from '../common/json-schema.js';
import { toList, type List } from '../common/list.dto.js';
import { OPERATOR } from '../dependencies.module.js';
import {
  registeredModelListSchema,
  toModelDtos,
  toolListSchema,
  toToolDto,
  type RegisteredModelDto,
  type ToolDto,
} from './registered.dto.js';

const nothing = z.strictObject({});

/** What the operator registered, the same for every project, without what is the operator's alone. */
@ApiTags('registered')
@ApiErrorResponses()
@Controller('v1')
export class RegisteredController {
  constructor(
    private readonly dataSource: DataSource,
    @Inject(OPERATOR) private readonly operator: OperatorFile,
  ) {}

  @Get('models')
  @ApiOperation({
    summary: 'List the models that the operator registered',
    description: 'Base models and language models of providers. Trained policies are in `/openai/v1/models`.',
  })
  @ApiOkResponse({ schema: named('RegisteredModelList', registeredModelListSchema) })
  listModels(@Query({ schema: nothing }) _query: object): List<RegisteredModelDto> {
    return whole(toModelDtos(this.operator));
  }

  @Get('tools')
  @ApiOperation({
    summary: 'List the tools that the operator registered, with the schemas of their arguments',
    description: 'What agent workers last told of them: the API opens no tool and asks no MCP server.',
  })
  @ApiOkResponse({ schema: named('ToolList', toolListSchema) })
  async listTools(@Query({ schema: nothing }) _query: object): Promise<List<ToolDto>> {
    const { tools } = this.operator;
    const known = await this.dataSource.getRepository(ToolDescription).findBy({ name: In(tools) });
    return whole(
      tools.map((id) =>
        toToolDto(
          id,
          known.find(({ name }) => name === id),
        ),
      ),
    );
  }
}

function whole<Item extends { id: string }>(items: Item[]): List<Item> {
  return toList(
    items,
    items.length,
    ({ id }) => id,
    (item) => item,
  );
}
