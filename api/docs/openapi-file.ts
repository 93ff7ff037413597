import { join } from 'node:path';
import type { OpenAPIObject } from '@nestjs/swagger';
import { PROJECT_ROOT } from '../../infra/config/project-root.js';

/** The checked-in description, which a test compares with the routes. */
export const OPENAPI_FILE = join(PROJECT_ROOT, 'docs/openapi.json');

export function formatOpenApi(document: OpenAPIObject): string {
  return `${JSON.stringify(document, null, 2)}\n`;
}
