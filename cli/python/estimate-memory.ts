import { modelsEnvironment } from '../../infra/local/models-environment.js';
import type { RunConfig } from '../../contracts/run-config.js';
import { CliError } from '../cli-error.js';
import type { CliContext } from '../context.js';

/** Exit codes of flow_grpo.estimate: it fits, it does not. */
const [FITS, DOES_NOT_FIT] = [0, 1];

/**
 * The memory of a gradient step, from the registered model's config.json: a table, or JSON. Sets the exit code where it
 * does not fit.
 * @param deviceGib memory of the device in GiB; without it, this machine's
 * @throws CliError where there is no Python environment, or the model's config.json cannot be read
 */
export async function estimateMemory(
  context: CliContext,
  config: RunConfig,
  { json, deviceGib }: { json?: boolean; deviceGib?: number },
): Promise<string> {
  const args = [...(json ? ['--json'] : []), ...(deviceGib === undefined ? [] : ['--device-gib', String(deviceGib)])];
  const call = { module: 'flow_grpo.estimate', args, env: modelsEnvironment() };
  const { code, output } = await context.askPython(call, JSON.stringify(config));
  if (code !== FITS && code !== DOES_NOT_FIT) {
    throw new CliError('The memory of a gradient step cannot be estimated, for the reason above.');
  }
  if (code === DOES_NOT_FIT) context.setExitCode(code);
  return output;
}
