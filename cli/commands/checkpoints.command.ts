import type { Command } from 'commander';
import type { CliContext } from '../context.js';
import { formatBytes, formatTable, shortSha256 } from '../output/format.js';
import { printList } from '../output/print-run.js';

export function registerCheckpoints(program: Command, context: CliContext): void {
  const checkpoints = program
    .command('checkpoints')
    .description('List the checkpoints of a training run.')
    .argument('<run>')
    .option('--json', 'print JSON')
    .enablePositionalOptions()
    .action(async (id: string, options: { json?: boolean }) => list(context, id, options));
  checkpoints
    .command('verify')
    .description('Compare the files of policies, batches and checkpoints with what the database says of them.')
    .argument('[run]', 'only of this training run')
    .option('--json', 'print JSON')
    .action(async (id: string | undefined, options: { json?: boolean }) => verify(context, id, options));
}

/** Looks at rows and files as they are, beside the stack's processes. */
async function verify(context: CliContext, id: string | undefined, { json }: { json?: boolean }): Promise<void> {
  const args = [...(id === undefined ? [] : ['--run', id]), ...(json ? ['--json'] : [])];
  context.setExitCode(await context.python({ module: 'flow_grpo.verify', args, env: context.storage() }));
}

async function list(context: CliContext, id: string, { json }: { json?: boolean }): Promise<void> {
  const rows = await (await context.client()).listCheckpoints(id);
  if (json) return printList(context, rows, ({ step }) => String(step));
  const cells = rows.map((row) => [
    row.policy,
    shortSha256(row.policy_sha256),
    formatBytes(row.bytes),
    row.created_at.slice(0, 19),
    row.removed_at ? 'removed' : row.uri,
  ]);
  for (const line of formatTable(['POLICY', 'SHA256', 'SIZE', 'CREATED', 'WHERE'], cells)) context.print(line);
}
