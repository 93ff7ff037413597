import { buildPassageIndex, IndexRefused } from '../../activities/tools/passages/build-index.js';
import { PassageIndexUnusable } from '../../activities/tools/passages/manifest.js';
import { RowError } from '../../activities/datasets/rows/rows.js';

/** Builds an index of passages: `<directory> <file...>`, and prints its manifest. `agentflow passages index` runs it. */
const [directory, ...files] = process.argv.slice(2);
try {
  const manifest = await buildPassageIndex(files, directory, (line) => process.stderr.write(`${line}\n`));
  process.stdout.write(JSON.stringify(manifest));
} catch (error) {
  if (![IndexRefused, PassageIndexUnusable, RowError].some((known) => error instanceof known)) throw error;
  process.stderr.write(`${(error as Error).message}\n`);
  process.exitCode = 1;
}
