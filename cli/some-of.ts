import { InvalidArgumentError } from 'commander';

/** Reads an option's value as some of the known names, with commas between them. */
export function someOf<Name extends string>(known: readonly Name[]): (list: string) => Name[] {
  const names = new Map<string, Name>(known.map((name) => [name, name]));
  return (list) =>
    list.split(',').map((text) => {
      const name = names.get(text);
      if (name) return name;
      throw new InvalidArgumentError(`It must be some of ${known.join(', ')}, with commas.`);
    });
}
