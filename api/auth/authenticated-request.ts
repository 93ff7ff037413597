import type { Request } from 'express';
import type { ApiKey } from '../../infra/database/entities/index.js';

/** A request, with the row of its API key once that is found to be valid. */
export interface AuthenticatedRequest extends Request {
  apiKey?: ApiKey;
  /** The row of the key that was sent, also if it is refused: who asked, and not what it may do. */
  sentKey?: ApiKey;
}
