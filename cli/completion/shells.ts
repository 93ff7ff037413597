import type { Known } from './commands-of.js';

/*
 * Scripts that hold every command and option as text. They ask no program while somebody types, so that a candidate is
 * there at once, and evaluate nothing of what was typed: a word may hold `$(...)`.
 */

/** A path as the scripts compare it: each word after a space. */
function key(path: readonly string[]): string {
  return path.map((word) => ` ${word}`).join('');
}

/** What may follow a command. */
function candidates({ commands, choices, options }: Known): string {
  return [...commands.map(({ name }) => name), ...choices, ...options.map(({ flag }) => flag)].join(' ');
}

/** @param name of the program */
export function bashScript(name: string, known: readonly Known[]): string {
  const paths = known.filter(({ path }) => path.length > 0).map(({ path }) => `'${key(path)}'`);
  const values = known.flatMap(({ path, options }) =>
    options.map(({ flag, takesValue, choices }) => ({ at: key([...path, flag]), takesValue, choices })),
  );
  return `# Completion of ${name} for bash: source <(${name} completion bash)
_${name}_completion() {
  local current="\${COMP_WORDS[COMP_CWORD]}" previous="\${COMP_WORDS[COMP_CWORD - 1]}" path='' index
  for ((index = 1; index < COMP_CWORD; index++)); do
    case "$path \${COMP_WORDS[index]}" in
      ${paths.join(' | ')}) path="$path \${COMP_WORDS[index]}" ;;
    esac
  done
  local words=''
  case "$path $previous" in
${values
  .filter(({ takesValue }) => takesValue)
  .map(({ at, choices }) => `    '${at}') words='${choices.join(' ')}' ;;`)
  .join('\n')}
    *)
      case "$path" in
${known.map((one) => `        '${key(one.path)}') words='${candidates(one)}' ;;`).join('\n')}
      esac
      ;;
  esac
  # A list of words, one a line, none of which is anything but a name.
  COMPREPLY=($(compgen -W "$words" -- "$current"))
}
complete -o default -F _${name}_completion ${name}
`;
}

/** zsh runs the functions of bash. */
export function zshScript(name: string, known: readonly Known[]): string {
  return `# Completion of ${name} for zsh: source <(${name} completion zsh)
(( $+functions[compdef] )) || { autoload -Uz compinit && compinit }
autoload -Uz bashcompinit && bashcompinit
${bashScript(name, known).split('\n').slice(1).join('\n')}`;
}

export function fishScript(name: string, known: readonly Known[]): string {
  const paths = known.filter(({ path }) => path.length > 0).map(({ path }) => quoted(key(path)));
  const lines = known.flatMap(({ path, commands, choices, options }) => {
    const at = `complete -c ${name} -n ${quoted(`__${name}_at ${quoted(key(path))}`)}`;
    return [
      ...(commands.length > 0 ? [`${at} -f`] : []), // a command is to follow, not a file
      ...commands.map((one) => `${at} -a ${one.name} -d ${quoted(one.description)}`),
      ...choices.map((choice) => `${at} -f -a ${choice}`),
      ...options.map(
        ({ flag, description, takesValue, choices }) =>
          `${at} -l ${flag.slice(2)}${takesValue ? ' -r' : ''}` +
          `${choices.length > 0 ? ` -f -a ${quoted(choices.join(' '))}` : ''} -d ${quoted(description)}`,
      ),
    ];
  });
  return `# Completion of ${name} for fish: ${name} completion fish | source
function __${name}_at
  set -l path ''
  for word in (commandline -opc)[2..]
    switch "$path $word"
      case ${paths.join(' ')}
        set path "$path $word"
    end
  end
  test "$path" = "$argv[1]"
end
${lines.join('\n')}
`;
}

/** As fish reads it. */
function quoted(text: string): string {
  return `'${text.replace(/[\\']/g, '\\$&')}'`;
}
