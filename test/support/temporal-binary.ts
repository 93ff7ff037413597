import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { PROJECT_ROOT } from '../../infra/config/project-root.js';

/** The Temporal binary that the set-up found or built. */
export function temporalBinary(): string {
  const path = join(process.env['AGENTFLOW_CACHE'] ?? join(PROJECT_ROOT, '.cache'), 'bin/temporal');
  if (!existsSync(path))
    throw new Error(`There is no Temporal server at ${path}: run \`npm test\` once, which sets it up.`);
  return path;
}
