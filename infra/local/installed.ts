import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { PROJECT_ROOT } from '../config/project-root.js';
import type { ServiceName, StackOptions } from './stack-options.js';
import { LocalStackError } from './local-stack-error.js';

/** Something that set-up makes is not there. */
class NotInstalled extends LocalStackError {
  override readonly name = 'NotInstalled';
}

/** Path of the Temporal CLI that set-up chose. */
export function temporalBinary({ cacheDirectory }: Pick<StackOptions, 'cacheDirectory'>): string {
  return join(cacheDirectory, 'bin/temporal');
}

const GPU_WORKER = join(PROJECT_ROOT, 'worker/gpu');
export const PYTHON = join(GPU_WORKER, '.venv/bin/python');
/** Makes flow_grpo importable and its output immediate. */
export const PYTHON_ENVIRONMENT = { PYTHONPATH: GPU_WORKER, PYTHONUNBUFFERED: '1' };

/** @throws NotInstalled naming what the wanted processes lack */
export function requireInstalled(options: StackOptions): void {
  const needed: Record<ServiceName, string> = {
    'policy-server': PYTHON,
    trainer: PYTHON,
    'agent-worker': join(PROJECT_ROOT, 'dist/worker/agent/main.js'),
    api: join(PROJECT_ROOT, 'dist/api/main.js'),
  };
  const paths = options.services.map((name) => needed[name]);
  if (!options.existingTemporal)
    paths.push(temporalBinary(options), join(PROJECT_ROOT, 'dist/infra/temporal-ui/main.js'));
  const missing = [...new Set(paths)].filter((path) => !existsSync(path));
  if (missing.length > 0) throw new NotInstalled(`Not there: ${missing.join(', ')}. Run \`npm run setup\`.`);
}
