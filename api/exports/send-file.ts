import type { Response } from 'express';
import { liftDeadline } from '../common/deadline.middleware.js';
import type { FoundFile } from './exports.service.js';

/** A reader that takes nothing for so long is gone. */
const IDLE_MS = 60_000;

/**
 * Sends a file, or the part of it that is asked for. Its ETag is its sha256, so that whoever goes on with a broken
 * download (`Range` with `If-Range`) never joins parts of two files.
 * @throws an error with the HTTP status if nothing was sent: 412, 416
 */
export async function sendFile(response: Response, { name, path, sha256 }: FoundFile): Promise<void> {
  liftDeadline(response);
  response.setTimeout(IDLE_MS, () => response.destroy());
  response.attachment(name).type('application/octet-stream').set('ETag', `"${sha256}"`);
  await new Promise<void>((resolve, reject) => {
    const options = { cacheControl: false, lastModified: false, dotfiles: 'allow' } as const;
    response.sendFile(path, options, (error?: Error & { headers?: Record<string, string> }) => {
      if (!error || response.headersSent || response.destroyed) return resolve();
      for (const header of ['Content-Disposition', 'Content-Type', 'ETag']) response.removeHeader(header);
      response.set(error.headers ?? {});
      reject(error);
    });
  });
}
