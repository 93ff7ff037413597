import { InvalidArgumentError, Option, type Command } from 'commander';
import { CliError } from '../cli-error.js';
import type { CliContext } from '../context.js';
import { readQuestion, type Asking } from '../solve/read-question.js';
import { watchFlow } from '../solve/watch-flow.js';

interface SolveOptions extends Asking {
  id?: string;
  cancel?: boolean;
  resume?: boolean;
  json?: boolean;
}

export function registerSolve(program: Command, context: CliContext): void {
  program
    .command('solve')
    .description('Ask a question, and watch the agent plan, call tools, verify and answer.')
    .argument('[question]')
    .option('--config <file>', 'how it is to be answered (YAML or JSON), instead of examples/solve.yaml')
    .option('--policy <run@n>', 'the policy that plans, as in run-abc@12; the file’s `policy` is overruled')
    .option(
      '--image <file>',
      'a picture that belongs to the question; may be repeated; the file’s `images` are overruled',
      (file: string, files: string[] = []) => [...files, file],
    )
    .option('--max-turns <n>', 'turns at most; the file’s `max_turns` is overruled', parseTurns)
    .addOption(
      new Option('--id <flow>', 'watch a question that was asked before, from its beginning').conflicts([
        'config',
        'policy',
        'image',
        'maxTurns',
      ]),
    )
    .addOption(
      new Option('--resume', 'with --id: let it go on after its budget was spent, granted once more').conflicts(
        'cancel',
      ),
    )
    .option('--cancel', 'with --id: end it without an answer')
    .option('--json', 'turns go to standard error; the last line of standard output is one JSON object')
    .action(async (question: string | undefined, options: SolveOptions) => solve(context, question, options));
}

async function solve(context: CliContext, question: string | undefined, options: SolveOptions): Promise<void> {
  if ((question === undefined) === (options.id === undefined)) {
    throw new CliError('Give a question, or --id with a question that was asked before.');
  }
  if (options.cancel && options.id === undefined) throw new CliError('--cancel needs --id: what is to end.');
  if (options.resume && options.id === undefined) throw new CliError('--resume needs --id: what is to go on.');
  const client = await context.client();
  if (options.resume) await client.resumeFlow(options.id!);
  if (options.cancel) await client.cancelFlow(options.id!);
  const id = options.id ?? (await client.ask(await readQuestion(question!, options))).id;
  context.note(`${id}: Ctrl-C stops watching, not the agent. To see it again: npx agentflow solve --id ${id}`);
  await watchFlow(context, id, options);
}

function parseTurns(text: string): number {
  const turns = Number(text);
  if (Number.isInteger(turns) && turns >= 1 && turns <= 50) return turns;
  throw new InvalidArgumentError('It must be a whole number from 1 to 50.');
}
