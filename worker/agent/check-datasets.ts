import { parseArgs } from 'node:util';
import { checkDatasets } from '../../activities/datasets/check-datasets.js';
import { EnvironmentError, readEnvironment } from '../../infra/config/environment.js';
import { loadOperatorFile, OperatorFileError, type OperatorFile } from '../../infra/config/operator-file.js';
import { countTokens, TokensNotCounted } from './count-tokens.js';

/**
 * Reads every registered dataset, or the named ones, and prints a JSON report of each, with `--model` also in its
 * tokens. `agentflow datasets check` runs it.
 */
const { positionals: names, values } = parseArgs({ allowPositionals: true, options: { model: { type: 'string' } } });
try {
  const { AGENTFLOW_OPERATOR_FILE } = readEnvironment(['AGENTFLOW_OPERATOR_FILE']);
  const operator = loadOperatorFile(AGENTFLOW_OPERATOR_FILE);
  const checks = await checkDatasets(operator.datasets, names, tokenCounter(operator, values.model));
  process.stdout.write(JSON.stringify(checks));
} catch (error) {
  if (![EnvironmentError, OperatorFileError, TokensNotCounted].some((known) => error instanceof known)) throw error;
  process.stderr.write((error as Error).message);
  process.exitCode = 1;
}

function tokenCounter({ models }: OperatorFile, model: string | undefined) {
  if (model === undefined) return undefined;
  if (!Object.hasOwn(models, model)) {
    const known = Object.keys(models).join(', ');
    throw new TokensNotCounted(`no model is registered as "${model}". Registered models: ${known}.`);
  }
  return (questions: readonly string[]) => countTokens(model, questions);
}
