import { checkDatasets } from '../../activities/datasets/check-datasets.js';
import { EnvironmentError, readEnvironment } from '../../infra/config/environment.js';
import { loadOperatorFile, OperatorFileError } from '../../infra/config/operator-file.js';

/** Reads every registered dataset, or the named ones, and prints a JSON report of each. `agentflow datasets check` runs it. */
try {
  const { AGENTFLOW_OPERATOR_FILE } = readEnvironment(['AGENTFLOW_OPERATOR_FILE']);
  const { datasets } = loadOperatorFile(AGENTFLOW_OPERATOR_FILE);
  process.stdout.write(JSON.stringify(await checkDatasets(datasets, process.argv.slice(2))));
} catch (error) {
  if (!(error instanceof EnvironmentError || error instanceof OperatorFileError)) throw error;
  process.stderr.write(error.message);
  process.exitCode = 1;
}
