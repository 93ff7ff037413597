import type { Command, Option } from 'commander';

/** A command that completion knows, with what may follow it. */
export interface Known {
  /** The commands that lead to it, without the program's name: `['runs', 'list']`. */
  path: string[];
  commands: { name: string; description: string }[];
  /** Of its arguments. */
  choices: string[];
  options: { flag: string; description: string; takesValue: boolean; choices: string[] }[];
}

/** The program itself, then every command that its help shows, with those below it. */
export function commandsOf(command: Command, path: string[] = []): Known[] {
  const help = command.createHelp();
  const below = help.visibleCommands(command);
  return [
    {
      path,
      commands: below.map((one) => ({ name: one.name(), description: one.description() })),
      choices: command.registeredArguments.flatMap(({ argChoices }) => argChoices ?? []),
      options: help.visibleOptions(command).flatMap(known),
    },
    ...below.flatMap((one) => commandsOf(one, [...path, one.name()])),
  ];
}

function known({ long, description, required, optional, argChoices }: Option): Known['options'] {
  const takesValue = required || optional;
  return long ? [{ flag: long, description, takesValue, choices: argChoices ?? [] }] : [];
}
