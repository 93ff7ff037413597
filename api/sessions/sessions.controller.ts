import { Controller, Delete, Get, HttpCode, Post, Req, Res } from '@nestjs/common';
import { ApiExcludeController } from '@nestjs/swagger';
import type { Response } from 'express';
import type { AuthenticatedRequest } from '../auth/authenticated-request.js';
import { COOKIE_OPTIONS, SESSION_COOKIE, sessionToken } from './session-cookie.js';
import { LASTS_MS, SessionsService } from './sessions.service.js';

/** Who a browser is signed in as. */
export interface SessionDto {
  project: string;
  key: { id: string; name: string; scopes: readonly string[] };
}

/** The dashboard signs in and out with these; the API's other clients send their key. */
@ApiExcludeController()
@Controller('session')
export class SessionsController {
  constructor(private readonly sessions: SessionsService) {}

  /** With a key, or the token of a link, as the bearer: the browser is signed in by a cookie from then on. */
  @Post()
  async signIn(
    @Req() request: AuthenticatedRequest,
    @Res({ passthrough: true }) response: Response,
  ): Promise<SessionDto> {
    const { token } = await this.sessions.open(request.apiKey!.id, 'session');
    response.cookie(SESSION_COOKIE, token, { ...COOKIE_OPTIONS, maxAge: LASTS_MS.session });
    return toDto(request);
  }

  @Get()
  whoami(@Req() request: AuthenticatedRequest): SessionDto {
    return toDto(request);
  }

  @Delete()
  @HttpCode(204)
  async signOut(@Req() request: AuthenticatedRequest, @Res({ passthrough: true }) response: Response): Promise<void> {
    const token = sessionToken(request);
    if (token !== undefined) await this.sessions.close(token);
    response.clearCookie(SESSION_COOKIE, COOKIE_OPTIONS);
  }
}

function toDto({ apiKey }: AuthenticatedRequest): SessionDto {
  const { id, name, scopes, project } = apiKey!;
  return { project, key: { id, name, scopes } };
}
