import { stat } from 'node:fs/promises';
import type { Response } from 'express';
import { ApiError } from '../common/api-error.js';
import { liftDeadline } from '../common/deadline.middleware.js';
import type { FoundFile } from './exports.service.js';

/** A reader that takes nothing for so long is gone. */
const IDLE_MS = 60_000;

type SendError = Error & { status?: number; headers?: Record<string, string> };

/**
 * Sends a file, or the part of it that is asked for. Its ETag is its sha256, so that whoever goes on with a broken
 * download (`Range` with `If-Range`) never joins parts of two files.
 * @throws an error with the HTTP status if nothing was sent: 412, 416, and ApiError 500 if the file is not as it was made
 */
export async function sendFile(response: Response, file: FoundFile): Promise<void> {
  const { name, path, bytes, sha256 } = file;
  const size = await sizeOf(path);
  if (size !== bytes) throw damaged(file, size);
  liftDeadline(response);
  response.setTimeout(IDLE_MS, () => response.destroy());
  response.attachment(name).type('application/octet-stream').set('ETag', `"${sha256}"`);
  await new Promise<void>((resolve, reject) => {
    const options = { cacheControl: false, lastModified: false, dotfiles: 'allow' } as const;
    response.sendFile(path, options, (error?: SendError) => {
      if (!error || response.headersSent || response.destroyed) return resolve();
      for (const header of ['Content-Disposition', 'Content-Type', 'ETag']) response.removeHeader(header);
      response.set(error.headers ?? {});
      reject(toTold(error, file));
    });
  });
}

/** Undefined if there is no such file. */
async function sizeOf(path: string): Promise<number | undefined> {
  const found = await stat(path).catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT' || error.code === 'ENOTDIR') return undefined;
    throw error;
  });
  return found?.size;
}

/** The words of `send` name files of this machine, or say nothing of the size. */
function toTold(error: SendError, file: FoundFile): Error {
  if (error.status === 404) return damaged(file, undefined);
  if (error.status !== 416) return error;
  const message = `${file.name} has ${file.bytes} bytes: Range asks for none of them.`;
  return new ApiError(416, 'invalid_request_error', 'request_refused', message, { cause: error });
}

function damaged({ exportId, name, bytes }: FoundFile, size: number | undefined): ApiError {
  const what = size === undefined ? 'it is missing' : `it has ${size} of ${bytes} bytes`;
  const message = `The API's copy of ${name} of ${exportId} is damaged: ${what}. Export the policy again.`;
  return new ApiError(500, 'server_error', 'export_damaged', message);
}
