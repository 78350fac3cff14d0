import type { Command } from 'commander';

export const SHELLS = ['bash', 'zsh', 'fish'] as const;
export type Shell = (typeof SHELLS)[number];

/** One level of the command: `release` or `release start`; the empty path is the command itself. */
interface Level {
  readonly path: string;
  readonly commands: readonly { readonly name: string; readonly summary: string }[];
  readonly options: readonly { readonly name: string; readonly summary: string }[];
}

/** A script that completes commands and options, made from the command itself; elsewhere the shell completes files. */
export function completionScript(program: Command, shell: Shell): string {
  const levels = levelsOf(program, program, '');
  switch (shell) {
    case 'bash':
      return bash(levels);
    case 'zsh':
      return zsh(levels);
    case 'fish':
      return fish(levels);
  }
}

function levelsOf(program: Command, command: Command, path: string): Level[] {
  const options = new Map(
    [...command.options, ...program.options].map((option) => [
      option.long ?? option.flags,
      option.description,
    ]),
  );
  options.set('--help', 'show help');
  const level = {
    path,
    commands: command.commands.map((each) => ({
      name: each.name(),
      summary: each.summary() || each.description(),
    })),
    options: [...options].map(([name, summary]) => ({ name, summary })),
  };
  const below = command.commands.flatMap((each) => levelsOf(program, each, `${path} ${each.name()}`.trim()));
  return [level, ...below];
}

const words = ({ commands, options }: Level): string =>
  [...commands, ...options].map(({ name }) => name).join(' ');

const paths = (levels: readonly Level[]): string =>
  levels.flatMap(({ path }) => (path === '' ? [] : [`"${path}"`])).join('|');

const bash = (levels: readonly Level[]): string => `# tenure completion for bash
_tenure() {
  local current="\${COMP_WORDS[COMP_CWORD]}" path="" word choices=""
  for word in "\${COMP_WORDS[@]:1:COMP_CWORD-1}"; do
    case "\${path:+$path }$word" in
      ${paths(levels)}) path="\${path:+$path }$word" ;;
    esac
  done
  case "$path" in
${levels.map((level) => `    "${level.path}") choices="${words(level)}" ;;`).join('\n')}
  esac
  COMPREPLY=()
  while IFS= read -r word; do COMPREPLY+=("$word"); done < <(compgen -W "$choices" -- "$current")
}
complete -o default -F _tenure tenure
`;

const zsh = (levels: readonly Level[]): string => `#compdef tenure
# tenure completion for zsh
_tenure() {
  local current_path="" word
  local -a choices
  for word in "\${(@)words[2,CURRENT-1]}"; do
    case "\${current_path:+$current_path }$word" in
      ${paths(levels)}) current_path="\${current_path:+$current_path }$word" ;;
    esac
  done
  case "$current_path" in
${levels.map((level) => `    "${level.path}") choices=(${described(level)}) ;;`).join('\n')}
  esac
  _describe 'tenure' choices || _files
}
if [ "$funcstack[1]" = "_tenure" ]; then _tenure "$@"; else compdef _tenure tenure; fi
`;

const described = ({ commands, options }: Level): string =>
  [...commands, ...options].map(({ name, summary }) => quoted(`${name}:${firstLine(summary)}`)).join(' ');

const fish = (levels: readonly Level[]): string => `# tenure completion for fish
function __tenure_path
  set -l path
  for word in (commandline -opc)[2..]
    switch (string join ' ' $path $word)
      case ${levels.flatMap(({ path }) => (path === '' ? [] : [quoted(path)])).join(' ')}
        set -a path $word
    end
  end
  string join ' ' $path
end
function __tenure_at
  test (__tenure_path | string collect) = "$argv[1]"
end
${levels.flatMap(fishLines).join('\n')}
`;

function fishLines({ path, commands, options }: Level): string[] {
  const at = `complete -c tenure -n "__tenure_at '${path}'"`;
  return [
    ...commands.map(({ name, summary }) => `${at} -f -a ${name} -d ${quoted(firstLine(summary))}`),
    ...options.map(
      ({ name, summary }) => `${at} -l ${name.replace(/^--/, '')} -d ${quoted(firstLine(summary))}`,
    ),
  ];
}

const firstLine = (text: string): string => text.split('\n')[0] ?? '';
const quoted = (text: string): string => `'${text.replaceAll("'", '’')}'`;
