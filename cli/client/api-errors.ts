import { CliError } from '../cli-error.js';

/** The API answered with an error. The message is the API's own. */
export class ApiRequestError extends CliError {
  override readonly name = 'ApiRequestError';

  constructor(
    readonly status: number,
    message: string,
  ) {
    super(message);
  }

  /** Whether the same request may succeed later. */
  get passing(): boolean {
    return this.status >= 500;
  }
}

/** Nothing answers at the API's address, or not in time, or not to the end. */
export class ApiUnreachable extends CliError {
  override readonly name = 'ApiUnreachable';

  constructor(url: string, cause: unknown) {
    super(`The API does not answer at ${url}. Is the local stack up? Start it with: npm run up`, 1, { cause });
  }
}

/** Another program answers at the API's address. */
export class NotOurApi extends CliError {
  override readonly name = 'NotOurApi';

  /** @param why a sentence without its end */
  constructor(url: string, why: string) {
    super(
      `Another program answers at ${url}, not the API of AgentFlow. ${why}. ` +
        '`npm run status` says where the API of the local stack is; AGENTFLOW_API_URL names another one.',
    );
  }
}
