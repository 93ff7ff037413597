import type { RequestHandler, Response } from 'express';
import { ApiError } from './api-error.js';
import { sendError } from './send-error.js';

export const REQUEST_BOUNDS = {
  /** Longer than what a request waits for one after the other: the database, and 10 s for a workflow. */
  deadlineMs: 20_000,
};

interface Deadline {
  timer: NodeJS.Timeout;
  expired: boolean;
}

const deadlines = new WeakMap<Response, Deadline>();

/**
 * Answers 504 in the place of a request that has no answer in time. What the request has begun goes on, each part of it
 * within a bound of its own; what it would answer then is dropped.
 */
export function deadlineMiddleware(): RequestHandler {
  return (_request, response, next) => {
    const timer = setTimeout(() => expire(response), REQUEST_BOUNDS.deadlineMs);
    deadlines.set(response, { timer, expired: false });
    response.on('close', () => clearTimeout(timer));
    next();
  };
}

/** For a stream, which is as long as what it tells about, and has a liveness of its own. */
export function liftDeadline(response: Response): void {
  clearTimeout(deadlines.get(response)?.timer);
}

/** Whether a request was answered with its deadline: there is nothing more to say. */
export function hasExpired(response: Response): boolean {
  return deadlines.get(response)?.expired ?? false;
}

function expire(response: Response): void {
  // A reader that does not take the end of its answer.
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
