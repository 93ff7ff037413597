import { HttpException } from '@nestjs/common';
import {
  isGrpcServiceError,
  WorkflowNotFoundError,
  WorkflowUpdateFailedError,
  WorkflowUpdateRPCTimeoutOrCancelledError,
} from '@temporalio/client';
import { rootCause } from '@temporalio/common';
import { QueryFailedError } from 'typeorm';
import { ApiError, badRequest, conflict, notFound, unavailable, type ApiErrorType } from './api-error.js';

/** PostgreSQL's classes of errors that pass: connection, resources, operator intervention. */
const PASSING_SQLSTATE = /^(08|53|57)/;
/** A value that no column holds: out of range, a NUL in a text. What a request sends is the only such thing. */
const REFUSED_VALUE_SQLSTATE = new Set(['22003', '22021', '22P02', '22P05']);
const NETWORK_CODES = new Set(['ECONNREFUSED', 'ECONNRESET', 'ENOENT', 'EPIPE', 'ETIMEDOUT', 'ENOTFOUND']);
const LOST_CONNECTION =
  /connection (terminated|timeout|ended)|timeout exceeded when trying to connect|Driver not Connected/i;
/** gRPC: DEADLINE_EXCEEDED and UNAVAILABLE. */
const UNREACHABLE_GRPC = new Set([4, 14]);

const TYPE_OF_STATUS: Record<number, ApiErrorType> = {
  401: 'authentication_error',
  404: 'not_found_error',
  409: 'conflict_error',
  503: 'service_unavailable_error',
};

/** What a client is told about an error. Undefined for a defect: its message stays in our log. */
export function toApiError(error: unknown): ApiError | undefined {
  if (error instanceof ApiError) return error;
  return fromTemporal(error) ?? fromDatabase(error) ?? fromHttp(error);
}

function fromTemporal(error: unknown): ApiError | undefined {
  if (error instanceof WorkflowNotFoundError) {
    return notFound('workflow_not_found', 'Temporal has no open workflow of this training run.', { cause: error });
  }
  if (error instanceof WorkflowUpdateFailedError) {
    return conflict('refused_by_run', rootCause(error.cause) ?? error.message, { cause: error });
  }
  if (!isTemporalOutage(error)) return undefined;
  return unavailable(
    'temporal_unavailable',
    'The Temporal server or the agent worker did not answer in time; nothing is lost, try again.',
    { cause: error },
  );
}

function isTemporalOutage(error: unknown): boolean {
  if (error instanceof WorkflowUpdateRPCTimeoutOrCancelledError) return true;
  if (isGrpcServiceError(error)) return UNREACHABLE_GRPC.has(error.code);
  return error instanceof Error && isTemporalOutage(error.cause);
}

function fromDatabase(error: unknown): ApiError | undefined {
  if (error instanceof QueryFailedError && REFUSED_VALUE_SQLSTATE.has(String(sqlstate(error)))) {
    const message =
      'A value in the request is too large a number, or holds a character that the database cannot store.';
    return badRequest('invalid_value', message, { cause: error });
  }
  if (!isDatabaseOutage(error)) return undefined;
  return unavailable('database_unavailable', 'The database cannot be reached; try again.', { cause: error });
}

function isDatabaseOutage(error: unknown): boolean {
  if (!(error instanceof Error)) return false;
  const code = sqlstate(error);
  if (typeof code === 'string' && (PASSING_SQLSTATE.test(code) || NETWORK_CODES.has(code))) return true;
  return LOST_CONNECTION.test(error.message);
}

/** PostgreSQL's code of a failed query, or the code of another error. */
function sqlstate(error: Error): unknown {
  return ((error instanceof QueryFailedError ? error.driverError : error) as { code?: unknown }).code;
}

/** Nest's exceptions and those of Express' parsers, which carry a status of their own. */
function fromHttp(error: unknown): ApiError | undefined {
  if (error instanceof HttpException) return ofStatus(error.getStatus(), error);
  const status = (error as { status?: unknown } | null)?.status;
  return error instanceof Error && typeof status === 'number' && status < 500 ? ofStatus(status, error) : undefined;
}

function ofStatus(status: number, error: Error): ApiError {
  if (status === 400) return badRequest('bad_request', error.message, { cause: error });
  const type = TYPE_OF_STATUS[status] ?? (status >= 500 ? 'server_error' : 'invalid_request_error');
  return new ApiError(status, type, status === 404 ? 'not_found' : 'request_refused', error.message, { cause: error });
}
