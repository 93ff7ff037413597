import { parse } from 'cookie';
import type { CookieOptions, Request } from 'express';
import { forbidden } from '../common/api-error.js';

export const SESSION_COOKIE = 'agentflow_session';
/** No script reads it, and no page of another site sends it. */
export const COOKIE_OPTIONS: CookieOptions = { httpOnly: true, sameSite: 'strict', path: '/' };

const READING = new Set(['GET', 'HEAD']);

export function sessionToken({ headers }: Request): string | undefined {
  return parse(headers.cookie ?? '')[SESSION_COOKIE];
}

/**
 * A browser sends the cookie for any page of the same host, of whatever port. Only the API's own pages may use it.
 * @throws ApiError 403
 */
export function requireOwnPage(request: Request): void {
  const { origin, host } = request.headers;
  const site = request.headers['sec-fetch-site'];
  const isReading = READING.has(request.method);
  const isOwn = origin === undefined ? site === 'same-origin' || isReading : origin === `http://${host}`;
  // `none` is somebody who types an address.
  const isForeign = site !== undefined && site !== 'same-origin' && !(site === 'none' && isReading);
  if (isOwn && !isForeign) return;
  const message =
    'Only the pages of this API may use its cookie. Send an API key instead: Authorization: Bearer <key>.';
  throw forbidden('foreign_page', message, { param: 'Cookie' });
}
