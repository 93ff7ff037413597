import { HttpException } from '@nestjs/common';
import {
  isGrpcServiceError,
  WorkflowNotFoundError,
  WorkflowUpdateFailedError,
  WorkflowUpdateRPCTimeoutOrCancelledError,
} from '@temporalio/client';
import { rootCause } from '@temporalio/common';
import { QueryFailedError } from 'typeorm';
import { isDatabaseOutage } from '../../infra/database/outage.js';
import { ApiError, badRequest, conflict, notFound, unavailable, type ApiErrorType } from './api-error.js';

/** A value that no column holds: out of range, a day that no calendar has, a NUL in a text. It can only come from a request. */
const REFUSED_VALUE_SQLSTATE = new Set(['22003', '22007', '22008', '22021', '22P02', '22P05']);
/** A lock was waited for as long as the API may. */
const LOCK_NOT_AVAILABLE = '55P03';
/** gRPC: DEADLINE_EXCEEDED and UNAVAILABLE. */
const UNREACHABLE_GRPC = new Set([4, 14]);

const TYPE_OF_STATUS: Record<number, ApiErrorType> = {
  401: 'authentication_error',
  403: 'permission_error',
  404: 'not_found_error',
  409: 'conflict_error',
  429: 'rate_limit_error',
  503: 'service_unavailable_error',
  504: 'service_unavailable_error',
};

/** What a client is told about an error. Of a defect it is told nothing: its message stays in our log. */
export function toApiError(error: unknown): ApiError {
  if (error instanceof ApiError) return error;
  return fromTemporal(error) ?? fromDatabase(error) ?? fromHttp(error) ?? defect();
}

function defect(): ApiError {
  return new ApiError(500, 'server_error', 'internal_error', 'The API failed on this request; its log says why.');
}

function fromTemporal(error: unknown): ApiError | undefined {
  if (error instanceof WorkflowNotFoundError) {
    return notFound(
      'workflow_not_found',
      'Temporal has no open workflow with this id: it has ended, or it was never started.',
      { cause: error },
    );
  }
  if (error instanceof WorkflowUpdateFailedError) {
    return conflict('refused_by_run', rootCause(error.cause) ?? error.message, { cause: error });
  }
  if (!isTemporalOutage(error)) return undefined;
  return unavailable(
    'temporal_unavailable',
    'The Temporal server or the agent worker did not answer in time. Nothing is lost. Try again.',
    { cause: error },
  );
}

function isTemporalOutage(error: unknown): boolean {
  if (error instanceof WorkflowUpdateRPCTimeoutOrCancelledError) return true;
  if (isGrpcServiceError(error)) return UNREACHABLE_GRPC.has(error.code);
  return error instanceof Error && isTemporalOutage(error.cause);
}

function fromDatabase(error: unknown): ApiError | undefined {
  if (error instanceof QueryFailedError && REFUSED_VALUE_SQLSTATE.has(String(codeOf(error.driverError)))) {
    const message =
      'A value in the request is too large a number, no time, or holds a character that the database cannot store.';
    return badRequest('invalid_value', message, { cause: error });
  }
  if (error instanceof QueryFailedError && codeOf(error.driverError) === LOCK_NOT_AVAILABLE) {
    const message = 'Another session has locked what this request changes. Nothing was changed. Try again.';
    return unavailable('database_busy', message, { cause: error });
  }
  if (!isDatabaseOutage(error)) return undefined;
  return unavailable('database_unavailable', 'The database does not answer. Try again.', { cause: error });
}

function codeOf(error: unknown): unknown {
  return (error as { code?: unknown }).code;
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
