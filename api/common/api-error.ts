import { listIssues, type ConfigIssue } from '../../infra/config/submitted/config-issues.js';

/** OpenAI's classes of errors, as its clients know them. */
export type ApiErrorType =
  | 'invalid_request_error'
  | 'authentication_error'
  | 'permission_error'
  | 'not_found_error'
  | 'conflict_error'
  | 'rate_limit_error'
  | 'server_error'
  | 'service_unavailable_error';

/** One thing to correct in a request. */
export type ApiIssue = ConfigIssue;

export interface ApiErrorBody {
  error: {
    message: string;
    type: ApiErrorType;
    /** Stable, for programs: `unknown_key`, `run_finished`, … */
    code: string;
    /** The parameter that is at fault, if there is one. */
    param: string | null;
    /** The issues of a request that was refused: the first ones. */
    issues?: ApiIssue[];
    /** How many more there are. */
    more_issues?: number;
  };
}

export interface ApiErrorOptions extends ErrorOptions {
  param?: string;
  issues?: ApiIssue[];
  moreIssues?: number;
}

/** An error that is told to the client as it is. */
export class ApiError extends Error {
  override readonly name = 'ApiError';

  constructor(
    readonly status: number,
    readonly type: ApiErrorType,
    readonly code: string,
    message: string,
    readonly options: ApiErrorOptions = {},
  ) {
    super(message, options);
  }

  toBody(): ApiErrorBody {
    const { param = null, issues, moreIssues } = this.options;
    const listed = { ...(issues && { issues }), ...(moreIssues && { more_issues: moreIssues }) };
    return { error: { message: this.message, type: this.type, code: this.code, param, ...listed } };
  }
}

export function badRequest(code: string, message: string, options?: ApiErrorOptions): ApiError {
  return new ApiError(400, 'invalid_request_error', code, message, options);
}

/** A list that is to go on after what it does not hold. @param what is wrong with `after` */
export function unknownCursor(what: string): ApiError {
  return badRequest('unknown_cursor', `after: ${what}`, { param: 'after' });
}

/**
 * A request that is refused because of what is in it.
 * @param what is refused, before the list of its issues
 * @param more issues that are not among these
 */
export function refusedFor(code: string, what: string, issues: readonly ApiIssue[], more = 0): ApiError {
  const { issues: listed, more: moreIssues, lines } = listIssues(issues, more);
  return badRequest(code, `${what}:\n${lines}`, { param: listed[0]?.param, issues: listed, moreIssues });
}

/** What the key that asks may not do. */
export function forbidden(code: string, message: string, options?: ApiErrorOptions): ApiError {
  return new ApiError(403, 'permission_error', code, message, options);
}

export function notFound(code: string, message: string, options?: ApiErrorOptions): ApiError {
  return new ApiError(404, 'not_found_error', code, message, options);
}

export function conflict(code: string, message: string, options?: ApiErrorOptions): ApiError {
  return new ApiError(409, 'conflict_error', code, message, options);
}

export function unavailable(code: string, message: string, options?: ApiErrorOptions): ApiError {
  return new ApiError(503, 'service_unavailable_error', code, message, options);
}
