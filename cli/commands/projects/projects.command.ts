import type { Command } from 'commander';
import type { CliContext } from '../../context.js';
import { formatTable } from '../../output/format.js';
import { printJson, printList } from '../../output/print-run.js';

interface Options {
  json?: boolean;
}

export function registerProjects(program: Command, context: CliContext): void {
  const projects = program
    .command('projects')
    .description('Create and list projects. Needs a key with the scope admin.');
  projects
    .command('create')
    .description('Create a project. Needs an admin key of the project default.')
    .argument('<project>', 'what it is called: a-z, 0-9 and -')
    .option('--json', 'print JSON')
    .action(async (id: string, options: Options) => create(context, id, options));
  projects
    .command('list')
    .description('List projects, oldest first: all with an admin key of the project default, else the own one.')
    .option('--json', 'print JSON')
    .action(async (options: Options) => list(context, options));
}

async function create(context: CliContext, id: string, { json }: Options): Promise<void> {
  const project = await (await context.client()).createProject({ id });
  if (json) return printJson(context, project);
  context.print(`Created the project ${project.id}.`);
  context.note(`Its first key: agentflow keys create admin --scopes read,submit,admin --project ${project.id}`);
}

async function list(context: CliContext, { json }: Options): Promise<void> {
  const projects = await (await context.client()).listProjects();
  if (json) return printList(context, projects, ({ id }) => id);
  const rows = projects.map(({ id, created_at }) => [id, created_at.slice(0, 19)]);
  for (const line of formatTable(['PROJECT', 'CREATED'], rows)) context.print(line);
}
