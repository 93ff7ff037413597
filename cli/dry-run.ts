import { stringify } from 'yaml';
import { EnvironmentError, readEnvironment } from '../infra/config/environment.js';
import { loadOperatorFile, OperatorFileError, type OperatorFile } from '../infra/config/operator-file.js';
import type { RunConfig } from '../contracts/run-config.js';
import { checkRunConfig } from '../infra/config/submitted/check-run-config.js';
import { listIssues, type Checked } from '../infra/config/submitted/config-issues.js';
import { checkWithUploads, datasetsOfRun, type KnownUpload } from '../infra/config/submitted/uploads.js';
import { CliError } from './cli-error.js';
import type { Dataset } from './client/api-types.js';
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
 * tells whether that fits. Loads no model, and needs no stack unless a dataset is named that the operator's file does not
 * have: then the API is asked whether the project uploaded it.
 * @throws CliError with everything that is wrong
 */
export async function dryRun(context: CliContext, configuration: unknown, options: DryRunOptions): Promise<void> {
  const config = await check(context, configuration);
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

async function check(context: CliContext, configuration: unknown): Promise<RunConfig> {
  try {
    const { AGENTFLOW_OPERATOR_FILE } = readEnvironment(['AGENTFLOW_OPERATOR_FILE']);
    const operator = loadOperatorFile(AGENTFLOW_OPERATOR_FILE);
    requireModel(configuration, Object.keys(operator.models), AGENTFLOW_OPERATOR_FILE);
    const checked = await checkNames(context, configuration, operator);
    if ('config' in checked) return checked.config;
    const { lines } = listIssues(checked.issues, checked.more);
    throw new CliError(`The run configuration cannot be accepted:\n${lines}`);
  } catch (error) {
    const known = [OperatorFileError, EnvironmentError].some((kind) => error instanceof kind);
    throw known ? new CliError((error as Error).message, 1, { cause: error }) : error;
  }
}

/** What a configuration names as a dataset, if that cannot be. */
const DATASET_KEY = /(?:^|\.)dataset\.(?:name|upload)$/;

async function checkNames(context: CliContext, value: unknown, operator: OperatorFile): Promise<Checked<RunConfig>> {
  const checkWith = (uploads: readonly KnownUpload[]) =>
    checkWithUploads(operator, uploads, (registered) => checkRunConfig(value, registered), datasetsOfRun);
  const checked = checkWith([]);
  const isKnown = 'config' in checked || !checked.issues.some(({ param }) => DATASET_KEY.test(param));
  return isKnown ? checked : checkWith(await uploadsOfProject(context));
}

/** None if the API cannot be asked. */
async function uploadsOfProject(context: CliContext): Promise<KnownUpload[]> {
  try {
    const datasets = await (await context.client()).listDatasets();
    return datasets.flatMap(({ id: name, upload }) => (upload ? [knownUpload(name, upload)] : []));
  } catch (error) {
    context.note(`What the project uploaded is not known: ${(error as Error).message}`);
    return [];
  }
}

function knownUpload(name: string, upload: NonNullable<Dataset['upload']>): KnownUpload {
  const { id, status, columns, training, held_out } = upload;
  // Which kind its answers are of is of no matter here. How many are held out is known when it is ready.
  const layout = { columns, answers: 'text', held_out: held_out ?? 1 } as const;
  return { id, name, status, training, layout };
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
