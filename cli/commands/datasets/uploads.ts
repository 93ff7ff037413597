import { randomUUID } from 'node:crypto';
import { openAsBlob } from 'node:fs';
import { stat } from 'node:fs/promises';
import { extname } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { InvalidArgumentError, Option, type Command } from 'commander';
import { CliError } from '../../cli-error.js';
import type { ApiClient } from '../../client/api-client.js';
import { ApiUnreachable } from '../../client/api-errors.js';
import type { RawBody } from '../../client/api-http.js';
import type { DatasetWithCheck, Routes } from '../../client/api-types.js';
import type { CliContext } from '../../context.js';
import { formatTable, oneLine } from '../../output/format.js';
import { printJson, printList } from '../../output/print-run.js';
import { requireConsent } from '../../require-consent.js';
import { wholeNumber } from '../../whole-number.js';

type Query = NonNullable<Routes['POST /v1/datasets']['takes']['query']>;
type Columns = Pick<Query, (typeof COLUMNS)[number]>;

const COLUMNS = ['question', 'answer', 'id', 'family', 'choices'] as const;
const TYPES: Record<string, string> = {
  '.jsonl': 'application/jsonl',
  '.ndjson': 'application/jsonl',
  '.json': 'application/jsonl',
  '.csv': 'text/csv',
  '.tsv': 'text/csv',
  '.parquet': 'application/vnd.apache.parquet',
};
const LOOK_MS = 500;
/** How often a file is sent to an API that does not answer. */
const SENDS = 60;
/** Of a question in the table of a preview. */
const LONGEST = 80;

interface Options {
  json?: boolean;
}
interface UploadOptions extends Options {
  name: string;
  columns?: Columns;
  answers?: Query['answers'];
  separator?: string;
  heldOut?: number;
  wait?: boolean;
}

/** The commands about datasets that a project uploads. */
export function registerUploads(datasets: Command, context: CliContext): void {
  datasets
    .command('upload')
    .description('Upload a file of questions and answers for the project, and have it checked.')
    .argument('<file>', `a file ${Object.keys(TYPES).join(', ')}`)
    .requiredOption('--name <name>', 'what runs and evaluations name')
    .option(
      '--columns <part=column>',
      `where its parts are, with commas between them: ${COLUMNS.join(', ')}; answer and choices may come several times`,
      readColumns,
    )
    .addOption(
      new Option('--answers <kind>', 'what kind the answers are of; text by default').choices([
        'text',
        'number',
        'expression',
        'choice',
      ]),
    )
    .option('--separator <text>', 'what stands between answers in one text, each of which is right')
    .option('--held-out <n>', 'questions that are never trained on and are asked by evaluations', wholeNumber(0))
    .option('--wait', 'wait for the check; exit code 1 if the file is refused')
    .option('--json', 'print JSON')
    .action(async (file: string, options: UploadOptions) => upload(context, file, options));
  const ofDataset = (name: string, description: string) =>
    datasets.command(name).description(description).argument('<name>', 'of the dataset').option('--json', 'print JSON');
  ofDataset('show', 'Show a dataset and what the check found in it.').action(async (name: string, options: Options) =>
    show(context, await (await context.client()).getDataset(name), options),
  );
  ofDataset('preview', 'Show the first 100 questions of an uploaded dataset as they were read.').action(
    async (name: string, options: Options) => preview(context, name, options),
  );
  ofDataset('delete', 'Delete an uploaded dataset that no run and no evaluation names. It asks before.')
    .option('--yes', 'do not ask')
    .action(async (name: string, options: Options & { yes?: boolean }) => remove(context, name, options));
}

/** Reads `question=Q,answer=A,answer=B`. */
function readColumns(text: string): Columns {
  const columns: Partial<Record<(typeof COLUMNS)[number], string[]>> = {};
  for (const part of text.split(',')) {
    const [, name, column] = /^([a-z]+)=(.+)$/.exec(part) ?? [];
    const known = COLUMNS.find((one) => one === name);
    if (!known)
      throw new InvalidArgumentError(`"${part}" is not <part>=<column> with a part of ${COLUMNS.join(', ')}.`);
    (columns[known] ??= []).push(column);
  }
  for (const name of ['question', 'id', 'family'] as const) {
    if ((columns[name]?.length ?? 0) > 1) throw new InvalidArgumentError(`${name} is one column.`);
  }
  const { question, answer, id, family, choices } = columns;
  return {
    ...(question && { question: question[0] }),
    ...(answer && { answer }),
    ...(id && { id: id[0] }),
    ...(family && { family: family[0] }),
    ...(choices && { choices }),
  };
}

async function upload(context: CliContext, file: string, options: UploadOptions): Promise<void> {
  const { name, columns, answers, separator, heldOut, wait } = options;
  const type = TYPES[extname(file).toLowerCase()];
  if (type === undefined) throw new CliError(`${file} is none of ${Object.keys(TYPES).join(', ')}.`);
  const content = await opened(file);
  const client = await context.client();
  const query = { ...columns, name, answers, separator, held_out: heldOut };
  const sent = await send(context, client, query, { content, contentType: type });
  const dataset = wait ? await untilChecked(client, sent) : sent;
  show(context, dataset, options);
  if (dataset.upload?.status === 'refused') context.setExitCode(1);
}

/** It is read while it is sent. @throws CliError */
async function opened(file: string): Promise<Blob> {
  const found = await stat(file).catch((error: NodeJS.ErrnoException) => {
    const why = error.code === 'ENOENT' ? 'There is no such file' : error.message;
    throw new CliError(`${file} cannot be read. ${why}.`, 1, { cause: error });
  });
  if (!found.isFile()) throw new CliError(`${file} is not a file.`);
  try {
    return await openAsBlob(file);
  } catch (error) {
    throw new CliError(`${file} cannot be read. May this user read it?`, 1, { cause: error });
  }
}

/** An API that restarts is waited for: by the key, a file that had arrived is not taken for another one. */
async function send(context: CliContext, client: ApiClient, query: Query, file: RawBody): Promise<DatasetWithCheck> {
  const key = randomUUID();
  for (let tried = 1; ; tried++) {
    try {
      return await client.uploadDataset(query, file, key);
    } catch (error) {
      if (!(error instanceof ApiUnreachable) || tried === SENDS) throw error;
      if (tried === 1) context.note(`The API does not answer. It is tried ${SENDS - 1} times more.`);
      await sleep(LOOK_MS);
    }
  }
}

/** An outage of the API is waited out: the check goes on without it. */
async function untilChecked(client: ApiClient, sent: DatasetWithCheck): Promise<DatasetWithCheck> {
  for (let dataset = sent; ; await sleep(LOOK_MS)) {
    if (dataset.upload?.status !== 'checking') return dataset;
    try {
      dataset = await client.getDataset(sent.id);
    } catch (error) {
      if (!(error instanceof ApiUnreachable)) throw error;
    }
  }
}

function show(context: CliContext, dataset: DatasetWithCheck, { json }: Options): void {
  if (json) return printJson(context, dataset);
  for (const line of linesOf(dataset)) context.print(line);
}

function linesOf({ id, kind, answers, trainable, held_out, upload: uploaded, check }: DatasetWithCheck): string[] {
  const uses = [trainable ? 'can be trained on' : '', held_out ? 'can be evaluated on' : ''].filter(
    (use) => use !== '',
  );
  const what = `${id}: ${kind}${answers === null ? '' : `, answers: ${answers}`}`;
  if (!uploaded) return [what, `  it ${uses.join(' and ')}`];
  const { status, bytes, sha256, training, held_out: heldOut, mistakes } = uploaded;
  const lines = [what, `  ${status}, ${bytes} bytes, sha256 ${sha256.slice(0, 12)}`];
  if (training !== null) lines.push(`  ${training} training, ${heldOut} held-out questions`);
  if (!check) return lines;
  const families = Object.entries(check.families).map(([family, count]) => `${family} ${count}`);
  if (families.length > 0) lines.push(`  families: ${families.join(', ')}`);
  if (check.repeated > 0) lines.push(`  ${check.repeated} repeated records dropped`);
  if (check.held_out_twice > 0) lines.push(`  ${check.held_out_twice} training questions left out: held out as well`);
  lines.push(...check.notes.map((note) => `  note: ${note}`));
  for (const { says, count, first } of check.findings) {
    lines.push(`  ${count} to look at: ${says}`, `    ${first.join(', ')}`);
  }
  if (mistakes !== null && mistakes > 0) lines.push(`  ${mistakes} mistakes:`);
  const more = (mistakes ?? 0) - check.mistakes.length;
  return [...lines, ...check.mistakes.map(mistakeLine), ...(more > 0 ? [`    ${more} more`] : [])];
}

function mistakeLine({ place, column, message }: NonNullable<DatasetWithCheck['check']>['mistakes'][number]): string {
  const where = [place, column === null ? null : `column ${column}`].filter((part) => part !== null);
  return `    ${where.length > 0 ? `${where.join(', ')}: ` : ''}${message}`;
}

async function preview(context: CliContext, name: string, { json }: Options): Promise<void> {
  const rows = await (await context.client()).previewDataset(name);
  if (json) return printList(context, rows, ({ row }) => String(row));
  if (rows.length === 0) {
    throw new CliError(`No question of "${name}" could be read. npx agentflow datasets show ${name} says why.`);
  }
  const cells = rows.map(({ row, split, family, question, answers }) => [
    String(row),
    split,
    family,
    oneLine(question, LONGEST),
    oneLine(answers.join(' | '), LONGEST),
  ]);
  for (const line of formatTable(['ROW', 'SPLIT', 'FAMILY', 'QUESTION', 'ANSWERS'], cells)) context.print(line);
}

async function remove(context: CliContext, name: string, { yes, json }: Options & { yes?: boolean }): Promise<void> {
  const client = await context.client();
  const { id } = await client.getDataset(name);
  if (!yes) await requireConsent(context, id, 'its file and what was found in it');
  await client.deleteDataset(id);
  if (json) return printJson(context, { id, object: 'dataset', deleted: true });
  context.print(`Deleted ${id}.`);
}
