import { Controller, Post, Req, Res } from '@nestjs/common';
import { ApiCreatedResponse, ApiOperation, ApiTags } from '@nestjs/swagger';
import type { Response } from 'express';
import { z } from 'zod';
import type { AuthenticatedRequest } from '../auth/authenticated-request.js';
import { ApiErrorResponses } from '../common/api-error-responses.decorator.js';
import { named } from '../common/json-schema.js';
import { SessionsService } from './sessions.service.js';

const signInLinkSchema = z.object({
  object: z.literal('sign_in_link'),
  path: z.string().describe('Behind the address of the API. Whoever opens it first is signed in.'),
  expires_at: z.iso.datetime(),
});

@ApiTags('dashboard')
@ApiErrorResponses()
@Controller('v1/sign_in_links')
export class SignInLinksController {
  constructor(private readonly sessions: SessionsService) {}

  @Post()
  @ApiOperation({
    summary: 'Create a link that signs a browser in to the dashboard',
    description: 'With the key of this request, of whatever scopes; once, and within ten minutes.',
  })
  @ApiCreatedResponse({ schema: named('SignInLink', signInLinkSchema) })
  async create(
    @Req() request: AuthenticatedRequest,
    @Res({ passthrough: true }) response: Response,
  ): Promise<z.infer<typeof signInLinkSchema>> {
    const { token, expiresAt } = await this.sessions.open(request.apiKey!.id, 'link');
    response.set('Cache-Control', 'no-store');
    // Behind the #, which no browser sends: the link stands in no log.
    return { object: 'sign_in_link', path: `/sign-in#${token}`, expires_at: expiresAt.toISOString() };
  }
}
