/** OpenAI's classes of errors, as its clients know them. */
export type ApiErrorType =
  | 'invalid_request_error'
  | 'authentication_error'
  | 'not_found_error'
  | 'conflict_error'
  | 'server_error'
  | 'service_unavailable_error';

/** One thing to correct in a request. */
export interface ApiIssue {
  /** Where, as a key path: `flow.tools[1]`; empty for the whole body. */
  param: string;
  message: string;
}

export interface ApiErrorBody {
  error: {
    message: string;
    type: ApiErrorType;
    /** Stable, for programs: `unknown_key`, `run_finished`, … */
    code: string;
    /** The parameter that is at fault, where there is one. */
    param: string | null;
    /** Every issue of a body that was refused. */
    issues?: ApiIssue[];
  };
}

export interface ApiErrorOptions extends ErrorOptions {
  param?: string;
  issues?: ApiIssue[];
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
    const { param = null, issues } = this.options;
    return { error: { message: this.message, type: this.type, code: this.code, param, ...(issues && { issues }) } };
  }
}

export function badRequest(code: string, message: string, options?: ApiErrorOptions): ApiError {
  return new ApiError(400, 'invalid_request_error', code, message, options);
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
