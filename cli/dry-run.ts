import { stringify } from 'yaml';
import { EnvironmentError, readEnvironment } from '../infra/config/environment.js';
import { loadOperatorFile, OperatorFileError } from '../infra/config/operator-file.js';
import type { RunConfig } from '../contracts/run-config.js';
import { checkRunConfig } from '../infra/config/submitted/check-run-config.js';
import { listIssues } from '../infra/config/submitted/config-issues.js';
import { CliError } from './cli-error.js';
import type { CliContext } from './context.js';
import { printJson } from './output/print-run.js';
import { describeStepSize, stepSize } from './output/step-size.js';
import { estimateMemory } from './python/estimate-memory.js';

export interface DryRunOptions {
  json?: boolean;
  /** Memory of the device that the estimate is compared with, in GiB; without it, this machine's. */
  deviceGib?: number;
}

/**
 * Checks a configuration as the API does, with the operator's file of this machine, and prints it with every default
 * filled in, as a file that can be submitted, what a step of it consists of, and the memory that it takes: the exit code
 * tells whether that fits. Needs no stack, and loads no model.
 * @throws CliError with everything that is wrong
 */
export async function dryRun(context: CliContext, configuration: unknown, options: DryRunOptions): Promise<void> {
  const config = check(configuration);
  const step = stepSize(config);
  if (options.json) {
    const estimate = JSON.parse(await estimateMemory(context, config, options)) as unknown;
    return printJson(context, { config, step, estimate });
  }
  context.print(`# Nothing was submitted. Steps: ${config.steps}; each: ${describeStepSize(step)}`);
  context.print(stringify(config).trimEnd());
  const table = await estimateMemory(context, config, options);
  context.print('# Memory of a gradient step:');
  for (const line of table.trimEnd().split('\n')) context.print(`# ${line}`);
}

function check(configuration: unknown): RunConfig {
  try {
    const { AGENTFLOW_OPERATOR_FILE } = readEnvironment(['AGENTFLOW_OPERATOR_FILE']);
    const operator = loadOperatorFile(AGENTFLOW_OPERATOR_FILE);
    requireModel(configuration, Object.keys(operator.models), AGENTFLOW_OPERATOR_FILE);
    const checked = checkRunConfig(configuration, operator);
    if ('config' in checked) return checked.config;
    const { lines } = listIssues(checked.issues, checked.more);
    throw new CliError(`The run configuration cannot be accepted:\n${lines}`);
  } catch (error) {
    const known = [OperatorFileError, EnvironmentError].some((kind) => error instanceof kind);
    throw known ? new CliError((error as Error).message, 1, { cause: error }) : error;
  }
}

/** The API cannot say how to register a model; on the operator's machine it can be said. @throws CliError */
function requireModel(configuration: unknown, registered: string[], operatorFile: string): void {
  const { model } = (configuration ?? {}) as { model?: unknown };
  if (typeof model !== 'string' || registered.includes(model)) return;
  throw new CliError(
    `There is no model "${model}". Registered: ${registered.join(', ')}. To register it, add to ${operatorFile}:\n` +
      `models:\n  ${model}: { source: { directory: /path/to/it }, context: 20480 }\n` +
      'A dry run needs only its config.json there.',
  );
}
