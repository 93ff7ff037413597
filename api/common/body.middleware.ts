import { text, type NextFunction, type Request, type RequestHandler, type Response } from 'express';
import { ApiError, badRequest } from './api-error.js';
import { parseYaml } from './yaml-document.js';

/** Bytes of a request body at most; the longest sensible configuration has some 3,000. */
export const MAX_BODY_BYTES = 65_536;
/** The same of a question in JSON: it may come with pictures, in base64. Nothing large is parsed as YAML, which is slow. */
export const MAX_QUESTION_BYTES = 24 * 1024 * 1024;
const QUESTIONS = '/v1/agent_flows';
/** Objects and arrays inside each other: no body of this API has more, and what walks a body must come to its end. */
const MAX_DEPTH = 64;

const JSON_TYPES = ['application/json'];
const YAML_TYPES = ['application/yaml', 'application/x-yaml', 'text/yaml'];

/** Reads a body into `request.body` as plain data, from JSON or YAML and nothing else. */
export function bodyMiddlewares(): RequestHandler[] {
  const [small, large] = [textReader(MAX_BODY_BYTES), textReader(MAX_QUESTION_BYTES)];
  const read: RequestHandler = (request, response, next) =>
    (request.path === QUESTIONS ? large : small)(request, response, next);
  return [requireKnownType, read, parseBody];
}

function textReader(limit: number): RequestHandler {
  const read = text({ type: [...JSON_TYPES, ...YAML_TYPES], limit });
  return (request, response, next) =>
    read(request, response, (error?: unknown) => next(isTooLarge(error) ? bodyTooLarge(limit, error) : error));
}

function isTooLarge(error: unknown): boolean {
  return (error as { status?: unknown } | undefined)?.status === 413;
}

function bodyTooLarge(limit: number, cause?: unknown): ApiError {
  const message = `The body is larger than the ${limit} bytes that this API accepts here.`;
  return new ApiError(413, 'invalid_request_error', 'body_too_large', message, { cause });
}

/** A form or plain text is what a foreign web page can send without asking: 415. */
function requireKnownType(request: Request, _response: Response, next: NextFunction): void {
  if (!hasBody(request) || request.is([...JSON_TYPES, ...YAML_TYPES])) return next();
  const type = request.get('content-type') ?? 'none';
  const message = `The content type must be application/json or application/yaml, and is ${type}.`;
  next(new ApiError(415, 'invalid_request_error', 'unsupported_content_type', message, { param: 'Content-Type' }));
}

function hasBody(request: Request): boolean {
  return request.headers['transfer-encoding'] !== undefined || Number(request.headers['content-length'] ?? 0) > 0;
}

function parseBody(request: Request, _response: Response, next: NextFunction): void {
  if (typeof request.body !== 'string') return next();
  if (!request.is(JSON_TYPES) && request.body.length > MAX_BODY_BYTES) return next(bodyTooLarge(MAX_BODY_BYTES));
  const [name, parse] = request.is(JSON_TYPES) ? ['JSON', JSON.parse] : ['YAML', parseYaml];
  try {
    const body = parse(request.body) as unknown;
    if (isDeeper(body, MAX_DEPTH)) throw new Error('it is nested too deeply');
    request.body = body;
    next();
  } catch (error) {
    const message = `The body is not ${name} that can be accepted: ${(error as Error).message}`;
    next(badRequest(`invalid_${name.toLowerCase()}`, message, { cause: error }));
  }
}

function isDeeper(value: unknown, depth: number): boolean {
  if (typeof value !== 'object' || value === null) return false;
  return depth === 0 || Object.values(value).some((part) => isDeeper(part, depth - 1));
}
