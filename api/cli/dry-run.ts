import { stringify } from 'yaml';
import { EnvironmentError, readEnvironment } from '../../infra/config/environment.js';
import { loadOperatorFile, OperatorFileError } from '../../infra/config/operator-file.js';
import type { RunConfig } from '../../workflows/contracts/run-config.js';
import { ApiError } from '../common/api-error.js';
import { parseRunConfig } from '../training-runs/config/parse-run-config.js';
import { CliError } from './cli-error.js';
import type { CliContext } from './context.js';
import { printJson } from './output/print-run.js';
import { describeStepSize, stepSize } from './output/step-size.js';

/**
 * Checks a configuration as the API does, with the operator's file of this machine, and prints it with every default
 * filled in, as a file that can be submitted, and what a step of it consists of. Needs no stack.
 * @throws CliError with everything that is wrong
 */
export function dryRun(context: CliContext, configuration: unknown, { json }: { json?: boolean }): void {
  const config = check(configuration);
  const size = `Nothing was submitted. Steps: ${config.steps}; each: ${describeStepSize(stepSize(config))}`;
  if (json) {
    context.note(size);
    return printJson(context, config);
  }
  context.print(`# ${size}`);
  context.print(stringify(config).trimEnd());
}

function check(configuration: unknown): RunConfig {
  try {
    const { AGENTFLOW_OPERATOR_FILE } = readEnvironment(['AGENTFLOW_OPERATOR_FILE']);
    return parseRunConfig(configuration, loadOperatorFile(AGENTFLOW_OPERATOR_FILE));
  } catch (error) {
    const known = [ApiError, OperatorFileError, EnvironmentError].some((kind) => error instanceof kind);
    throw known ? new CliError((error as Error).message, 1, { cause: error }) : error;
  }
}
