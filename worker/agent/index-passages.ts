import { parseArgs } from 'node:util';
import { RowError } from '../../activities/datasets/rows/rows.js';
import { buildPassageIndex, type DenseSettings } from '../../activities/tools/passages/build-index.js';
import {
  IndexRefused,
  PassageIndexUnusable,
  PRECISIONS,
  type Precision,
} from '../../activities/tools/passages/manifest.js';
import { EnvironmentError, readEnvironment } from '../../infra/config/environment.js';
import { loadOperatorFile, OperatorFileError } from '../../infra/config/operator-file.js';
import { SecretError, withKey } from '../../infra/config/secrets.js';

/**
 * Builds an index of passages: `[--dense <precision>] <directory> <file...>`, and prints its manifest.
 * `agentflow passages index` runs it.
 */
const { values, positionals } = parseArgs({ allowPositionals: true, options: { dense: { type: 'string' } } });
const [directory, ...files] = positionals;
const KNOWN = [IndexRefused, PassageIndexUnusable, RowError, EnvironmentError, OperatorFileError, SecretError];
try {
  const dense = values.dense === undefined ? undefined : denseSettings(values.dense);
  const manifest = await buildPassageIndex(files, directory, (line) => process.stderr.write(`${line}\n`), dense);
  process.stdout.write(JSON.stringify(manifest));
} catch (error) {
  if (!KNOWN.some((known) => error instanceof known)) throw error;
  process.stderr.write(`${(error as Error).message}\n`);
  process.exitCode = 1;
}

/** @throws IndexRefused, EnvironmentError, OperatorFileError, SecretError */
function denseSettings(precision: string): DenseSettings {
  if (!isPrecision(precision)) throw new IndexRefused(`--dense is one of ${PRECISIONS.join(', ')}.`);
  const { AGENTFLOW_OPERATOR_FILE: path } = readEnvironment(['AGENTFLOW_OPERATOR_FILE']);
  const { embeddings } = loadOperatorFile(path);
  if (embeddings) return { embeddings: withKey(embeddings), precision };
  throw new IndexRefused(`${path} has no section embeddings, which names the model that embeds the passages.`);
}

function isPrecision(text: string): text is Precision {
  return (PRECISIONS as readonly string[]).includes(text);
}
