import { ApplicationFailure } from '@temporalio/common';
import { isDatabaseOutage, NETWORK_CODES } from '../../infra/database/outage.js';
import { isTransient } from '../http/transient-status.js';

/** An error of ours that says: something outside is out of order. It is retried without limit (I14). */
export class Outage extends Error {}

/** Types of failures that say the same, for those that also tell Temporal when to try again. */
export const OutageType = {
  /** A provider of language models did not answer, or asked to come again. */
  ProviderUnavailable: 'ProviderUnavailable',
  /** So did a service that a tool asks. */
  ServiceUnavailable: 'ServiceUnavailable',
} as const;

const OUTAGE_TYPES: readonly string[] = Object.values(OutageType);

/** What operating system and HTTP client call a network that does not carry. */
const NETWORK = [
  ...NETWORK_CODES,
  'EADDRNOTAVAIL',
  'EAI_FAIL',
  'EHOSTDOWN',
  'ENETRESET',
  'ERR_SOCKET_CONNECTION_TIMEOUT',
  'ERR_STREAM_PREMATURE_CLOSE',
  'UND_ERR_BODY_TIMEOUT',
  'UND_ERR_CLOSED',
  'UND_ERR_CONNECT_TIMEOUT',
  'UND_ERR_DESTROYED',
  'UND_ERR_HEADERS_TIMEOUT',
  'UND_ERR_SOCKET',
];
/** A machine that has no room, or whose disk does not answer. */
const MACHINE = ['EAGAIN', 'EBUSY', 'EDQUOT', 'EIO', 'EMFILE', 'ENFILE', 'ENOMEM', 'ENOSPC', 'EROFS', 'ESTALE'];
const CODES = new Set([...NETWORK, ...MACHINE]);
/** gRPC: DEADLINE_EXCEEDED, RESOURCE_EXHAUSTED, ABORTED, UNAVAILABLE. */
const GRPC = new Set([4, 8, 10, 14]);
/** A chain of causes may be a circle. */
const DEPTH = 8;

/**
 * Whether what a call threw is recognisably infrastructure: it, or what caused it. Everything else is a defect, which
 * comes again however often the call is made (I14).
 */
export function isOutage(error: unknown): boolean {
  return chain(error, DEPTH).some(saysOutage);
}

/** fetch hides the reason in `cause`, two deep; connecting to several addresses gives one error that holds `errors`. */
function chain(error: unknown, depth: number): Error[] {
  if (depth === 0 || !isError(error)) return [];
  const { errors } = error as Partial<AggregateError>;
  const parts: readonly unknown[] = Array.isArray(errors) ? errors : [];
  return [error, ...[error.cause, ...parts].flatMap((inner) => chain(inner, depth - 1))];
}

/** Errors of the runtime are of another realm in tests and in worker threads: instanceof does not know them. */
function isError(error: unknown): error is Error {
  return typeof error === 'object' && error !== null && typeof (error as Error).message === 'string';
}

function saysOutage(error: Error): boolean {
  if (error instanceof Outage || error.name === 'TimeoutError') return true;
  if (error instanceof ApplicationFailure) return !error.nonRetryable && OUTAGE_TYPES.includes(error.type ?? '');
  const { code } = error as NodeJS.ErrnoException;
  if (typeof code === 'string' && CODES.has(code)) return true;
  return isGrpcOutage(error) || isHttpOutage(error) || isDatabaseOutage(error);
}

function isGrpcOutage(error: Error): boolean {
  const { code, details } = error as { code?: unknown; details?: unknown };
  return typeof code === 'number' && typeof details === 'string' && GRPC.has(code);
}

function isHttpOutage(error: Error): boolean {
  const { status, statusCode } = error as { status?: unknown; statusCode?: unknown };
  return [status, statusCode].some((value) => typeof value === 'number' && value < 600 && isTransient(value));
}
