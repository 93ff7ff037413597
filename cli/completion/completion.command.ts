import { Argument, type Command } from 'commander';
import type { CliContext } from '../context.js';
import { commandsOf } from './commands-of.js';
import { bashScript, fishScript, zshScript } from './shells.js';

const SCRIPTS = { bash: bashScript, zsh: zshScript, fish: fishScript };
type Shell = keyof typeof SCRIPTS;

const HOW = `
To have it in every shell, put the line into what the shell reads at its start:
  ~/.bashrc                    source <(agentflow completion bash)
  ~/.zshrc                     source <(agentflow completion zsh)
  ~/.config/fish/config.fish   agentflow completion fish | source
It completes the command \`agentflow\`, which \`npm link\` puts on the path.`;

export function registerCompletion(program: Command, context: CliContext): void {
  program
    .command('completion')
    .description('Print a script by which a shell completes commands and options.')
    .addArgument(new Argument('<shell>', 'the shell').choices(Object.keys(SCRIPTS)))
    .addHelpText('after', HOW)
    .action((shell: Shell) => context.print(SCRIPTS[shell](program.name(), commandsOf(program))));
}
