import { Argument, type Command } from 'commander';
import type { CommandLine } from './commandLine.ts';

const shells = ['bash', 'zsh', 'fish'] as const;

/** `spoonctl completion`: must be added last, since it lists what is there. */
export function addCompletion(program: Command, line: CommandLine): void {
  program
    .command('completion')
    .addArgument(new Argument('<shell>').choices(shells))
    .description('print the completion script of a shell')
    .addHelpText('after', help)
    .action((shell: (typeof shells)[number]) => {
      const places = placesOf(program, []);
      line.stdout.write(shell === 'fish' ? fishScript(places) : bashScript(places, shell === 'zsh'));
    });
}

const help = `
Examples:
  source <(spoonctl completion bash)
  spoonctl completion fish > ~/.config/fish/completions/spoonctl.fish`;

/** A command, with what may come after it. */
interface Place {
  readonly path: readonly string[];
  readonly words: readonly { readonly name: string; readonly description: string }[];
  readonly hasCommands: boolean;
}

function placesOf(command: Command, path: readonly string[]): Place[] {
  const commands = command.commands.map((sub) => ({ name: sub.name(), description: sub.description() }));
  const flags = command.options.map((option) => ({
    name: option.long ?? option.flags,
    description: option.description,
  }));
  const own = { path, words: commands.length > 0 ? commands : flags, hasCommands: commands.length > 0 };
  return [own, ...command.commands.flatMap((sub) => placesOf(sub, [...path, sub.name()]))];
}

function bashScript(places: readonly Place[], isZsh: boolean): string {
  const cases = places.map(({ path, words, hasCommands }) => {
    const pattern = `'${path.map((name) => ` ${name}`).join('')}'${hasCommands ? '' : '*'}`;
    return `    ${pattern}) words='${words.map(({ name }) => name).join(' ')}' ;;`;
  });
  return `${isZsh ? 'autoload -U +X bashcompinit && bashcompinit\n' : ''}_spoonctl() {
  local current=\${COMP_WORDS[COMP_CWORD]} path='' words='' word
  for word in "\${COMP_WORDS[@]:1:COMP_CWORD-1}"; do
    case $word in -*) ;; *) path+=" $word" ;; esac
  done
  case $path in
${cases.join('\n')}
  esac
  COMPREPLY=($(compgen -W "$words" -- "$current"))
}
complete -o default -F _spoonctl spoonctl
`;
}

function fishScript(places: readonly Place[]): string {
  const lines = places.flatMap(({ path, words, hasCommands }) => {
    const seen = path.map((name) => `__fish_seen_subcommand_from ${name}`);
    const open = hasCommands ? [`not __fish_seen_subcommand_from ${words.map(({ name }) => name).join(' ')}`] : [];
    const condition = [...seen, ...open].join('; and ');
    return words.map(({ name, description }) => {
      const what = name.startsWith('--') ? `-l ${name.slice(2)}` : `-f -a ${name}`;
      return `complete -c spoonctl -n "${condition}" ${what} -d "${description}"`;
    });
  });
  return `${lines.join('\n')}\n`;
}
