import type { Request, RequestHandler, Response } from 'express';
import { ApiError } from './api-error.js';
import { sendError } from './send-error.js';

export const REQUEST_BOUNDS = {
  /** Longer than all that a request waits for in turn: the database, and 10 s for a workflow. */
  deadlineMs: 20_000,
  /** For what still comes of a request that is answered already. */
  restMs: 30_000,
};

interface Deadline {
  timer: NodeJS.Timeout;
  expired: boolean;
}

const deadlines = new WeakMap<Response, Deadline>();

/**
 * Answers a request with 504 if it has no answer in time. What the request has begun goes on, each part within a bound
 * of its own; its own answer is dropped.
 */
export function deadlineMiddleware(): RequestHandler {
  return (request, response, next) => {
    const timer = setTimeout(() => expire(response), REQUEST_BOUNDS.deadlineMs);
    deadlines.set(response, { timer, expired: false });
    response.on('close', () => clearTimeout(timer));
    response.on('finish', () => endRest(request));
    next();
  };
}

/** A client that goes on sending what was refused is not listened to for ever. */
function endRest(request: Request): void {
  if (request.complete) return;
  const { socket } = request;
  const timer = setTimeout(() => socket.destroy(), REQUEST_BOUNDS.restMs);
  for (const event of ['end', 'close']) request.once(event, () => clearTimeout(timer));
}

/** For a stream, which lasts as long as what it tells about, and checks its reader itself. */
export function liftDeadline(response: Response): void {
  clearTimeout(deadlines.get(response)?.timer);
}

/** Whether a request was answered by its deadline: then there is nothing more to say. */
export function hasExpired(response: Response): boolean {
  return deadlines.get(response)?.expired ?? false;
}

function expire(response: Response): void {
  // The reader does not take the end of its answer.
  if (response.headersSent) {
    response.destroy();
    return;
  }
  deadlines.set(response, { timer: deadlines.get(response)!.timer, expired: true });
  const message =
    `The request was not answered within ${REQUEST_BOUNDS.deadlineMs / 1000} s. It may still be carried out: check that before ` +
    'you repeat it, or repeat it with the same Idempotency-Key.';
  sendError(response, new ApiError(504, 'service_unavailable_error', 'deadline_exceeded', message));
}
