import { basename } from 'node:path';
import type { Command } from 'commander';
import { deleteData, holdsData, listData, type DataContents } from '../../infra/local/data-deletion.js';
import { stackOptionsFromEnvironment } from '../../infra/local/stack-options.js';
import { claimSupervision, StackRunning } from '../../infra/local/supervision.js';
import { CliError } from '../cli-error.js';
import type { CliContext } from '../context.js';
import { formatBytes, formatTable } from '../output/format.js';
import { printJson } from '../output/print-run.js';

interface DeleteOptions {
  yes?: boolean;
  json?: boolean;
}

export function registerData(program: Command, context: CliContext): void {
  program
    .command('data')
    .description('Delete what the local stack has stored on this machine.')
    .command('delete')
    .description('Delete the data directory (AGENTFLOW_DATA): runs, database, history, artifacts. It asks before.')
    .option('--yes', 'do not ask')
    .option('--json', 'print JSON: what was deleted')
    .action(async (options: DeleteOptions) => deleteDirectory(context, options));
}

/** @throws CliError while a stack runs on it, and without the user's consent */
async function deleteDirectory(context: CliContext, { yes, json }: DeleteOptions): Promise<void> {
  const say = json ? context.note : context.print;
  const { dataDirectory, databaseUrl, existingTemporal } = stackOptionsFromEnvironment();
  if (!holdsData(dataDirectory)) throw new CliError(`There is no data of AgentFlow in ${dataDirectory}.`);
  const supervision = claim(dataDirectory);
  try {
    const contents = await listed(dataDirectory);
    for (const line of describe(dataDirectory, contents)) say(line);
    if (databaseUrl) say('The database that DATABASE_URL names is not touched.');
    if (existingTemporal) say('The Temporal cluster that the environment names is not touched.');
    if (!yes) await requireConsent(context, dataDirectory);
    deleteData(dataDirectory, contents);
    if (json) printJson(context, { deleted: dataDirectory, ...contents });
    else context.print(`Deleted the data of ${dataDirectory}.`);
  } finally {
    supervision.release();
  }
}

function claim(dataDirectory: string): { release(): void } {
  try {
    return claimSupervision(dataDirectory);
  } catch (error) {
    throw refused(error);
  }
}

async function listed(dataDirectory: string): Promise<DataContents> {
  try {
    return await listData(dataDirectory);
  } catch (error) {
    throw refused(error);
  }
}

function refused(error: unknown): unknown {
  return error instanceof StackRunning ? new CliError(`Nothing was deleted. ${error.message}`) : error;
}

function describe(dataDirectory: string, { entries, foreign, runsWithArtifacts, database }: DataContents): string[] {
  const rows = entries.map(({ path, bytes, linkTo }) => [
    path,
    linkTo === undefined ? formatBytes(bytes) : `a link: ${linkTo} stays`,
  ]);
  const total = entries.reduce((sum, { bytes }) => sum + bytes, 0);
  const counts =
    'unknown' in database
      ? `The database cannot be asked for its runs: ${database.unknown}`
      : `In the database: ${database.trainingRuns} training runs, ${database.agentFlows} agent flows, ` +
        `${database.evaluations} evaluations.`;
  return [
    `This deletes the data of ${dataDirectory}, for good:`,
    ...formatTable(['PATH', 'SIZE'], [...rows, ['total', formatBytes(total)]]),
    counts,
    `Training runs with artifacts: ${runsWithArtifacts}.`,
    ...(foreign.length > 0 ? [`Not of AgentFlow, and kept: ${foreign.join(', ')}`] : []),
  ];
}

/** @throws CliError unless the directory's name is typed */
async function requireConsent(context: CliContext, dataDirectory: string): Promise<void> {
  const name = basename(dataDirectory);
  const answer = await context.ask(`Type the directory's name, ${name}, to delete all of it: `);
  if (answer === undefined)
    throw new CliError('Nothing was deleted: there is no terminal to ask on. Add --yes to delete without a question.');
  if (answer.trim() !== name) throw new CliError(`Nothing was deleted: the answer is not ${name}.`);
}
