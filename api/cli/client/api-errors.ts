import type { ApiErrorBody } from '../../common/api-error.js';
import { CliError } from '../cli-error.js';

/** The API answered with an error. The message is the API's own. */
export class ApiRequestError extends CliError {
  override readonly name = 'ApiRequestError';

  constructor(
    readonly status: number,
    readonly body: ApiErrorBody | undefined,
  ) {
    super(body?.error.message ?? `The API answered with HTTP ${status} and no explanation.`);
  }

  /** Whether the same request may succeed later. */
  get passing(): boolean {
    return this.status >= 500;
  }
}

/** Nothing answers at the API's address. */
export class ApiUnreachable extends CliError {
  override readonly name = 'ApiUnreachable';

  constructor(url: string, cause: unknown) {
    super(`The API does not answer at ${url}. Is the local stack up? Start it with: npm run up`, 1, { cause });
  }
}
