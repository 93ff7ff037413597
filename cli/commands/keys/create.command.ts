import { InvalidArgumentError, type Command } from 'commander';
import { KEY_SCOPES, type KeyScope } from '../../../contracts/key-scopes.js';
import type { CliContext } from '../../context.js';
import { printJson } from '../../output/print-run.js';
import { EXPIRY, parseExpiry } from './expiry.js';

interface CreateOptions {
  scopes: KeyScope[];
  project?: string;
  expires?: string;
  json?: boolean;
}

export function registerCreate(keys: Command, context: CliContext): void {
  keys
    .command('create')
    .description('Create an API key and print it: nothing shows it again.')
    .argument('<name>', 'for people: who uses it, or what for')
    .requiredOption('--scopes <scopes>', `what it may do, of ${KEY_SCOPES.join(', ')}`, parseScopes)
    .option('--project <project>', 'another project than the own one; needs an admin key of the project default')
    .option('--expires <when>', EXPIRY, (text) => parseExpiry(text))
    .option('--json', 'print JSON')
    .action(async (name: string, options: CreateOptions) => create(context, name, options));
}

async function create(
  context: CliContext,
  name: string,
  { scopes, project, expires, json }: CreateOptions,
): Promise<void> {
  const client = await context.client();
  const created = await client.createKey({
    name,
    scopes,
    ...(project !== undefined && { project }),
    ...(expires !== undefined && { expires_at: expires }),
  });
  if (json) return printJson(context, created);
  const until = created.expires_at ?? 'it is revoked';
  context.note(`${created.id} of the project ${created.project}, ${created.scopes.join(', ')}, until ${until}.`);
  context.note('Keep the key now: nothing shows it again.');
  context.print(created.key ?? '');
}

function parseScopes(text: string): KeyScope[] {
  const names = text.split(',').map((name) => name.trim());
  const unknown = names.find((name) => !(KEY_SCOPES as readonly string[]).includes(name));
  if (unknown !== undefined)
    throw new InvalidArgumentError(`"${unknown}" is none of ${KEY_SCOPES.join(', ')}; separate them with commas.`);
  return names as KeyScope[];
}
