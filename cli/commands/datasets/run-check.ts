import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { PROJECT_ROOT } from '../../../infra/config/project-root.js';
import type { DatasetCheck } from '../../../contracts/dataset-check.js';
import { CliError } from '../../cli-error.js';

const MAX_OUTPUT = 64 * 1024 * 1024;

/**
 * Reads datasets in a process of the agent worker's code, where truths may be seen.
 * @param model the registered model whose tokens are counted
 * @throws CliError
 */
export async function runCheck(names: readonly string[], model?: string): Promise<DatasetCheck[]> {
  const program = join(PROJECT_ROOT, 'dist/worker/agent/check-datasets.js');
  try {
    const args = [program, ...(model === undefined ? [] : ['--model', model]), '--', ...names];
    const { stdout } = await promisify(execFile)(process.execPath, args, { maxBuffer: MAX_OUTPUT });
    return JSON.parse(stdout) as DatasetCheck[];
  } catch (error) {
    const said = (error as { stderr?: string }).stderr?.trim();
    throw new CliError(`The datasets cannot be checked: ${said || (error as Error).message}`, 1, { cause: error });
  }
}
