import { join, resolve } from 'node:path';
import type { Command } from 'commander';
import { readEnvironment } from '../../../infra/config/environment.js';
import { loadOperatorFile, OperatorFileError } from '../../../infra/config/operator-file.js';
import { fetchDataset } from '../../../infra/datasets/fetch-dataset.js';
import { FetchRefused, Hub } from '../../../infra/datasets/hub.js';
import { SOURCES, TRAINING_SETS } from '../../../infra/datasets/sources.js';
import { CliError } from '../../cli-error.js';
import type { CliContext } from '../../context.js';
import { printJson, printList } from '../../output/print-run.js';
import { checkReports } from './check-report.js';
import { progressLines } from './progress-lines.js';
import { registerUploads } from './uploads.js';
import { runCheck } from './run-check.js';

type SourceName = keyof typeof SOURCES;
const COMPUTED = ['atlas', 'game24'];

interface FetchOptions {
  to?: string;
  acceptLicence?: string;
  json?: boolean;
}

export function registerDatasets(program: Command, context: CliContext): void {
  const datasets = program
    .command('datasets')
    .description('Benchmarks and training sets: what there is, fetch, check, upload.');
  datasets
    .command('list')
    .description('What can be fetched, what the operator registered, and what the project uploaded.')
    .option('--json', 'print JSON')
    .action(async ({ json }: { json?: boolean }) => list(context, json));
  registerUploads(datasets, context);
  datasets
    .command('fetch')
    .description('Download a published dataset and check it. Gated ones take HF_TOKEN in the environment.')
    .argument('<name>', `one of ${Object.keys(SOURCES).join(', ')}`)
    .option('--to <dir>', 'where to; by default datasets/<name> in the data directory of the local stack')
    .option('--json', 'print JSON: what was fetched, and where it is')
    .option('--accept-licence <licence>', 'the licence that you accept where it is not the known one')
    .action(async (name: string, options: FetchOptions) => fetchOne(context, name, options));
  datasets
    .command('check')
    .description(
      'Read registered datasets whole: counts, lengths, what was left out and what to look at, overlap, licence.',
    )
    .argument('[names...]', 'by default all of them')
    .option('--model <name>', 'a registered model: also tell lengths in its tokens, and what does not fit its context')
    .option('--json', 'print JSON')
    .action(async (names: string[], { model, json }: { model?: string; json?: boolean }) => {
      const checks = await runCheck(names, model);
      if (json) printList(context, checks, ({ name }) => name);
      else for (const line of checkReports(checks)) context.print(line);
      if (checks.some(({ problem }) => problem !== undefined)) context.setExitCode(1);
    });
}

async function list(context: CliContext, json?: boolean): Promise<void> {
  const uploaded = await uploads(context);
  const toFetch = Object.entries(SOURCES).map(([name, { repository, licence, gated }]) => ({
    name,
    repository,
    licence,
    gated: gated === true,
  }));
  if (json) {
    return printJson(context, {
      to_fetch: toFetch,
      computed: COMPUTED,
      registered: Object.keys(registered()),
      uploaded,
    });
  }
  context.print('To fetch:');
  for (const { name, repository, licence, gated } of toFetch) {
    context.print(`  ${name.padEnd(10)} ${repository}, ${licence}${gated ? ', gated' : ''}`);
  }
  context.print(`Computed: ${COMPUTED.join(', ')}`);
  context.print(`Registered: ${Object.keys(registered()).join(', ')}`);
  for (const { id, status, training, held_out: heldOut } of uploaded ?? []) {
    const questions = training === null ? '' : `, ${training} training, ${heldOut} held-out questions`;
    context.print(`Uploaded: ${id}, ${status}${questions}`);
  }
}

/** What the project of the key uploaded; null, with a note, if the API cannot be asked. */
async function uploads(context: CliContext) {
  try {
    const datasets = await (await context.client()).listDatasets();
    return datasets.flatMap(({ id, upload }) => (upload ? [{ ...upload, id }] : []));
  } catch (error) {
    if (!(error instanceof CliError)) throw error;
    context.note(`What the project uploaded is not listed: ${error.message}`);
    return null;
  }
}

async function fetchOne(context: CliContext, name: string, { to, acceptLicence, json }: FetchOptions): Promise<void> {
  if (!isSource(name))
    throw new CliError(`No source is known of "${name}". Known: ${Object.keys(SOURCES).join(', ')}.`);
  const { AGENTFLOW_DATA, HF_ENDPOINT, HF_TOKEN } = readEnvironment(['AGENTFLOW_DATA', 'HF_ENDPOINT', 'HF_TOKEN']);
  const directory = to === undefined ? join(AGENTFLOW_DATA, 'datasets', name) : resolve(to);
  let record;
  try {
    record = await fetchDataset({
      name,
      source: SOURCES[name],
      hub: new Hub(HF_ENDPOINT, HF_TOKEN),
      hasToken: HF_TOKEN !== undefined,
      acceptedLicence: acceptLicence,
      directory,
      onProgress: progressLines((line) => context.note(line)),
    });
  } catch (error) {
    throw error instanceof FetchRefused ? new CliError(error.message, 1, { cause: error }) : error;
  }
  if (json) return printJson(context, { name, directory, ...record });
  context.note(`${record.files.length} file(s), commit ${record.commit}, licence ${record.licence}, checked.`);
  const kind = (TRAINING_SETS as readonly string[]).includes(name) ? 'training' : 'benchmark';
  context.note('To use it, register it in the section datasets of the operator’s file:');
  context.print(`${name}: { ${kind}: ${name}, path: ${directory} }`);
}

function registered(): Record<string, unknown> {
  try {
    return loadOperatorFile(readEnvironment(['AGENTFLOW_OPERATOR_FILE']).AGENTFLOW_OPERATOR_FILE).datasets;
  } catch (error) {
    throw error instanceof OperatorFileError ? new CliError(error.message, 1, { cause: error }) : error;
  }
}

function isSource(name: string): name is SourceName {
  return Object.hasOwn(SOURCES, name);
}
