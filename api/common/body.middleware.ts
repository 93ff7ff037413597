import type { NextFunction, Request, RequestHandler, Response } from 'express';
import { UPLOAD_TYPES } from '../../contracts/uploaded-dataset.js';
import { DOCUMENT_BOUNDS, DocumentRefused } from '../../infra/documents/document-bounds.js';
import { parseScannedJson } from '../../infra/documents/json-document.js';
import { JsonScanner } from '../../infra/documents/json-scanner.js';
import { MAX_YAML_BYTES, parseYaml } from '../../infra/documents/yaml-document.js';
import { ApiError, badRequest } from './api-error.js';

export const BODY_BOUNDS = {
  /** Most bytes of a request body in JSON. */
  bytes: 1024 * 1024,
  /** The same for a question in any form, which may come with pictures, in base64. */
  questionBytes: 24 * 1024 * 1024,
  /** Until a whole body is there, in milliseconds. */
  arrivalMs: 10_000,
};
/** Where questions are asked. */
export const QUESTIONS = /^\/(v1\/agent_flows|openai\/v1\/(chat\/completions|responses))\/?$/i;

/** Where files are uploaded, which their route reads by itself. */
const UPLOADS = /^\/v1\/datasets\/?$/i;

const JSON_TYPES = ['application/json'];
const YAML_TYPES = ['application/yaml', 'application/x-yaml', 'text/yaml'];
const DOCUMENTS = {
  types: [...JSON_TYPES, ...YAML_TYPES],
  words: 'application/json or application/yaml',
  known: /^utf-?8$/i,
  charset: 'UTF-8',
};
const FILES = {
  types: Object.keys(UPLOAD_TYPES),
  words: 'application/jsonl, text/csv or application/vnd.apache.parquet',
  known: /^(utf-?8|utf-?16(le|be)?|us-ascii)$/i,
  charset: 'UTF-8 or UTF-16; if none is said, bytes that are neither are read as Windows-1252, and a note says so',
};

/** Reads a body into `request.body` as plain data, from JSON or YAML and nothing else. */
export function bodyMiddlewares(): RequestHandler[] {
  return [requireKnownType, parseBody];
}

/** A form or plain text is what a foreign web page can send without asking: 415. */
function requireKnownType(request: Request, _response: Response, next: NextFunction): void {
  if (!hasBody(request)) return next();
  const [type, encoding] = [request.get('content-type') ?? 'none', request.get('content-encoding') ?? 'identity'];
  const { types, words, known, charset } = isUpload(request) ? FILES : DOCUMENTS;
  if (!request.is(types)) {
    const message = `The content type is ${type}. It must be ${words}.`;
    return next(unsupported('unsupported_content_type', message, 'Content-Type'));
  }
  const charsets = [...type.matchAll(/;\s*charset\s*=\s*"?([^";\s]*)/gi)].map(([, said]) => said);
  const foreign = charsets.find((said) => !known.test(said));
  if (foreign !== undefined) {
    const message = `The charset of the body is ${foreign}. It must be ${charset}.`;
    return next(unsupported('unsupported_content_type', message, 'Content-Type'));
  }
  if (encoding.toLowerCase() !== 'identity') {
    const message = `The body is compressed (${encoding}). Send it without compression.`;
    return next(unsupported('unsupported_content_encoding', message, 'Content-Encoding'));
  }
  next();
}

function unsupported(code: string, message: string, param: string): ApiError {
  return new ApiError(415, 'invalid_request_error', code, message, { param });
}

function hasBody(request: Request): boolean {
  return request.headers['transfer-encoding'] !== undefined || Number(request.headers['content-length'] ?? 0) > 0;
}

function isUpload({ method, path }: Request): boolean {
  return method === 'POST' && UPLOADS.test(path);
}

function parseBody(request: Request, response: Response, next: NextFunction): void {
  if (!hasBody(request) || isUpload(request)) return next();
  readBody(request).then(
    (body) => {
      request.body = body;
      next();
    },
    (error: unknown) => {
      // What still comes is thrown away, so that the client can read the answer.
      request.resume();
      if (error instanceof ApiError && error.status === 408) response.set('Connection', 'close');
      next(error);
    },
  );
}

/** @throws ApiError 400, 408, 413 */
async function readBody(request: Request): Promise<unknown> {
  const isJson = Boolean(request.is(JSON_TYPES));
  const isQuestion = QUESTIONS.test(request.path);
  const jsonBytes = isQuestion ? BODY_BOUNDS.questionBytes : BODY_BOUNDS.bytes;
  const bounds = isQuestion ? { ...DOCUMENT_BOUNDS, stringBytes: BODY_BOUNDS.questionBytes } : DOCUMENT_BOUNDS;
  try {
    const scanner = isJson ? new JsonScanner(bounds) : undefined;
    const bytes = await receive(request, isJson ? jsonBytes : MAX_YAML_BYTES, (chunk) => scanner?.write(chunk));
    if (bytes.length === 0) return undefined;
    const text = decode(bytes);
    return isJson ? parseScannedJson(text, bounds) : parseYaml(text, bounds);
  } catch (error) {
    if (!(error instanceof DocumentRefused)) throw error;
    const name = isJson ? 'JSON' : 'YAML';
    const message = `The body is not ${name} that can be accepted: ${error.message}`;
    throw badRequest(`invalid_${name.toLowerCase()}`, message, { cause: error });
  }
}

/** @param look at each piece as it arrives; what it throws ends the reading */
function receive(request: Request, limit: number, look: (chunk: Buffer) => void): Promise<Buffer> {
  if (Number(request.headers['content-length'] ?? 0) > limit) return Promise.reject(bodyTooLarge(limit));
  return new Promise((resolve, reject) => {
    const chunks: Buffer[] = [];
    let size = 0;
    const onData = (chunk: Buffer): void => {
      size += chunk.length;
      try {
        if (size > limit) throw bodyTooLarge(limit);
        look(chunk);
        chunks.push(chunk);
      } catch (error) {
        const reason = error as Error;
        settle(() => reject(reason));
      }
    };
    const onEnd = (): void => settle(() => resolve(Buffer.concat(chunks)));
    const onClose = (): void =>
      settle(() => reject(badRequest('body_broken', 'The connection ended before the whole body had arrived.')));
    const timer = setTimeout(() => settle(() => reject(tooSlow())), BODY_BOUNDS.arrivalMs);
    const settle = (how: () => void): void => {
      clearTimeout(timer);
      request.off('data', onData).off('end', onEnd).off('close', onClose);
      how();
    };
    request.on('error', () => undefined); // a connection that breaks: the body is closed too
    request.on('data', onData).on('end', onEnd).on('close', onClose);
  });
}

function decode(bytes: Buffer): string {
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch (error) {
    throw new DocumentRefused('it is not UTF-8', { cause: error });
  }
}

export function bodyTooLarge(limit: number): ApiError {
  const message = `The body is larger than the ${limit} bytes that this API accepts here.`;
  return new ApiError(413, 'invalid_request_error', 'body_too_large', message);
}

function tooSlow(): ApiError {
  const message = `The whole body did not arrive within ${BODY_BOUNDS.arrivalMs / 1000} s.`;
  return new ApiError(408, 'invalid_request_error', 'request_too_slow', message);
}
