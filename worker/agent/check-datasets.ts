import { checkDatasets } from '../../activities/datasets/check-datasets.js';
import { readEnvironment } from '../../infra/config/environment.js';
import { loadOperatorFile } from '../../infra/config/operator-file.js';

/** Reads every registered dataset, or the named ones, and prints a JSON report of each. `agentflow datasets check` runs it. */
const { AGENTFLOW_OPERATOR_FILE } = readEnvironment(['AGENTFLOW_OPERATOR_FILE']);
const { datasets } = loadOperatorFile(AGENTFLOW_OPERATOR_FILE);
process.stdout.write(JSON.stringify(await checkDatasets(datasets, process.argv.slice(2))));
