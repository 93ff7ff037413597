import { Option, type Command } from 'commander';
import { CliError } from '../cli-error.js';
import type { ApiClient } from '../client/api-client.js';
import type { CliContext } from '../context.js';
import { deleted, requireConsent } from '../require-consent.js';
import { readQuestion, type Asking } from '../solve/read-question.js';
import { watchFlow } from '../solve/watch-flow.js';
import { wholeNumber } from '../whole-number.js';

interface SolveOptions extends Asking {
  id?: string;
  cancel?: boolean;
  resume?: boolean;
  revive?: boolean;
  delete?: boolean;
  yes?: boolean;
  json?: boolean;
}

export function registerSolve(program: Command, context: CliContext): void {
  program
    .command('solve')
    .description('Ask a question, and watch the agent plan, call tools, verify and answer.')
    .argument('[question]')
    .option('--config <file>', 'the settings of the answer (YAML or JSON), instead of examples/solve.yaml')
    .option('--policy <run@n>', 'the policy that plans, as in run-abc@12, instead of the file’s `policy`')
    .option(
      '--image <file>',
      'a picture for the question, instead of the file’s `images`; may be repeated',
      (file: string, files: string[] = []) => [...files, file],
    )
    .option('--max-turns <n>', 'at most so many turns, instead of the file’s `max_turns`', wholeNumber(1, 50))
    .addOption(
      new Option('--id <flow>', 'watch a question that was asked before, from its beginning').conflicts([
        'config',
        'policy',
        'image',
        'maxTurns',
      ]),
    )
    .addOption(
      new Option(
        '--resume',
        'with --id: continue a question whose budget is spent, with the same budget again',
      ).conflicts('cancel'),
    )
    .addOption(
      new Option('--revive', 'with --id: continue a question whose workflow Temporal no longer has').conflicts([
        'cancel',
        'resume',
      ]),
    )
    .option('--cancel', 'with --id: end it without an answer')
    .addOption(
      new Option(
        '--delete',
        'with --id: delete one that has ended, with its turns and pictures; it asks before',
      ).conflicts(['cancel', 'resume', 'revive']),
    )
    .option('--yes', 'with --delete: do not ask')
    .option('--json', 'turns go to standard error; the last line of standard output is one JSON object')
    .action(async (question: string | undefined, options: SolveOptions) => solve(context, question, options));
}

async function solve(context: CliContext, question: string | undefined, options: SolveOptions): Promise<void> {
  if ((question === undefined) === (options.id === undefined)) {
    throw new CliError('Give a question, or --id with a question that was asked before.');
  }
  if (options.cancel && options.id === undefined)
    throw new CliError('--cancel needs --id, which names the question to end.');
  if (options.resume && options.id === undefined)
    throw new CliError('--resume needs --id, which names the question to continue.');
  if (options.revive && options.id === undefined)
    throw new CliError('--revive needs --id, which names the question to continue.');
  if (options.delete && options.id === undefined) throw new CliError('--delete needs --id: what is to be deleted.');
  const client = await context.client();
  if (options.delete) return deleteFlow(context, client, options.id!, options.yes === true);
  if (options.resume) await client.resumeFlow(options.id!);
  if (options.revive) await client.reviveFlow(options.id!);
  if (options.cancel) await client.cancelFlow(options.id!);
  const id = options.id ?? (await client.ask(await readQuestion(question!, options))).id;
  context.note(
    `${id}: Ctrl-C stops the display, and the agent continues. To watch it again: npx agentflow solve --id ${id}`,
  );
  await watchFlow(context, id, options);
}

async function deleteFlow(context: CliContext, client: ApiClient, id: string, yes: boolean): Promise<void> {
  if (!yes) {
    const { question, status } = await client.getFlow(id);
    await requireConsent(context, id, `“${question}”, ${status}.`);
  }
  await client.deleteFlow(id);
  context.print(deleted(id));
}
