import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join, resolve } from 'node:path';
import { text } from 'node:stream/consumers';
import { Option, type Command } from 'commander';
import { readEnvironment } from '../../infra/config/environment.js';
import { registeredName } from '../../infra/config/operator/registered-name.js';
import { PROJECT_ROOT } from '../../infra/config/project-root.js';
import { boundToParent } from '../../infra/processes/bound-child.js';
import { CliError } from '../cli-error.js';
import type { CliContext } from '../context.js';
import { printJson } from '../output/print-run.js';

/** What is printed of a manifest (activities/tools/passages/manifest.ts). */
interface Built {
  passages: number;
  repeated: number;
  left_out: number;
  dense?: { model: string; dimension: number };
}

interface IndexOptions {
  name?: string;
  to?: string;
  dense?: string;
  json?: boolean;
}

export function registerPassages(program: Command, context: CliContext): void {
  program
    .command('passages')
    .description('The index that the tool `passages` searches.')
    .command('index')
    .description(
      'Build an index of passages, or of the contexts of questions. One that is there of the same files is used as it is.',
    )
    .argument('<files...>', 'JSON, JSONL, CSV or Parquet files, or directories of them')
    .option('--name <name>', 'its name: it is made in passages/<name> of the data directory of the local stack')
    .option('--to <dir>', 'its directory, instead of a name')
    .addOption(
      new Option(
        '--dense <precision>',
        'embed the passages too, with the model of the section embeddings; keep exact vectors, or smaller ones',
      ).choices(['float32', 'float16', 'int8']),
    )
    .option('--json', 'print JSON')
    .action(async (files: string[], options: IndexOptions) => index(context, files, options));
}

async function index(context: CliContext, files: string[], options: IndexOptions): Promise<void> {
  const directory = directoryOf(options);
  const built = await build(directory, files, options.dense);
  if (options.json) return printJson(context, { index: directory, ...built });
  context.note(
    `${built.passages} passages` +
      (built.repeated > 0 ? `, ${built.repeated} more were repeated` : '') +
      (built.left_out > 0 ? `, ${built.left_out} records left out` : '') +
      (built.dense ? `, embedded by ${built.dense.model} in ${built.dense.dimension} dimensions` : ''),
  );
  context.note('To use it, add passages to the tools of the operator’s file, and this section:');
  context.print(`passages: { index: ${directory}${options.dense === undefined ? '' : ', search: dense'} }`);
}

function directoryOf({ name, to }: IndexOptions): string {
  if ((name === undefined) === (to === undefined)) throw new CliError('Say either --name or --to.');
  if (to !== undefined) return resolve(to);
  if (!registeredName.safeParse(name).success) {
    throw new CliError(`--name must be lower-case letters, digits, ".", "_", "-", and not ${JSON.stringify(name)}.`);
  }
  return join(readEnvironment(['AGENTFLOW_DATA']).AGENTFLOW_DATA, 'passages', name!);
}

/** In a process of the agent worker's code, which reads datasets. @throws CliError */
async function build(directory: string, files: string[], dense: string | undefined): Promise<Built> {
  const program = join(PROJECT_ROOT, 'dist/worker/agent/index-passages.js');
  const paths = files.map((file) => resolve(file));
  const options = dense === undefined ? [] : ['--dense', dense];
  const line = [program, ...options, '--', directory, ...paths];
  const { command, args } = boundToParent({ command: process.execPath, args: line });
  const child = spawn(command, args, { stdio: ['ignore', 'pipe', 'inherit'] });
  const [manifest, [code, signal]] = (await Promise.all([text(child.stdout), once(child, 'close')])) as [
    string,
    [number | null, NodeJS.Signals | null],
  ];
  if (code !== 0) throw new CliError(`There is no index of ${files.join(', ')}: ${signal ?? 'for the reason above'}.`);
  return JSON.parse(manifest) as Built;
}
