import type { Command } from 'commander';
import type { Policy } from '../client/api-types.js';
import type { CliContext } from '../context.js';
import { formatFraction, formatTable, shortSha256 } from '../output/format.js';
import { printJson, printList } from '../output/print-run.js';

interface Options {
  json?: boolean;
}

export function registerPolicies(program: Command, context: CliContext): void {
  const policies = program
    .command('policies')
    .description('List the policies of a training run, show one, and keep it against retention.');
  policies
    .command('list')
    .description('List the policies of a training run whose files are there.')
    .argument('<run>')
    .option('--all', 'also those whose files were collected')
    .option('--json', 'print JSON')
    .action(async (run: string, options: Options & { all?: boolean }) => list(context, run, options));
  for (const { name, description, call } of VERBS) {
    policies
      .command(name)
      .description(description)
      .argument('<run@n>', 'the policy, as in run-abc@12')
      .option('--json', 'print JSON')
      .action(async (id: string, { json }: Options) => {
        const policy = await (await context.client())[call](id);
        if (json) printJson(context, policy);
        else printPolicy(context, policy);
      });
  }
}

const VERBS = [
  { name: 'show', description: 'Show a policy.', call: 'getPolicy' },
  { name: 'pin', description: 'Keep the files of a policy until it is unpinned.', call: 'pinPolicy' },
  { name: 'unpin', description: 'Leave a policy to retention again.', call: 'unpinPolicy' },
] as const;

async function list(context: CliContext, run: string, { all, json }: Options & { all?: boolean }): Promise<void> {
  const policies = await (await context.client()).listPolicies(run, all);
  if (json) return printList(context, policies, ({ id }) => id);
  if (policies.length === 0) return context.note(`${run} has no policy${all ? '' : ' whose files are there'} yet.`);
  const rows = policies.map((policy) => [
    policy.id,
    shortSha256(policy.sha256),
    policy.evaluation ? formatFraction(policy.evaluation.accuracy) : '-',
    policy.has_files ? 'yes' : 'collected',
    policy.has_checkpoint ? 'yes' : '-',
    policy.pinned_at?.slice(0, 19) ?? '-',
  ]);
  for (const line of formatTable(['POLICY', 'SHA256', 'ACCURACY', 'FILES', 'CHECKPOINT', 'PINNED'], rows)) {
    context.print(line);
  }
}

function printPolicy({ print }: CliContext, policy: Policy): void {
  const { evaluation } = policy;
  const rows: [string, string][] = [
    ['policy', policy.id],
    ['sha256', policy.sha256],
    ['parent', policy.parent_sha256 ?? 'none'],
    ['accuracy', evaluation ? describeEvaluation(evaluation) : 'not evaluated'],
    ['files', policy.has_files ? 'there' : 'collected'],
    ['checkpoint', policy.has_checkpoint ? 'there' : 'none'],
    ['pinned', policy.pinned_at ? `since ${policy.pinned_at}` : 'no'],
    ['created', policy.created_at],
  ];
  for (const [name, value] of rows) print(`${name.padEnd(12)}${value}`);
}

function describeEvaluation({ accuracy, interval, correct, questions }: NonNullable<Policy['evaluation']>): string {
  const [low, high] = interval.map(formatFraction);
  return `${formatFraction(accuracy)} (${low}-${high}), ${correct} of ${questions} held-out questions`;
}
