import type { Command } from 'commander';
import type { SwitchedDotfiles } from '../../protocol/dotfilesSwitch.ts';
import { type CommandLine, type JsonOption, withJson } from '../commandLine.ts';
import { connect } from '../connection.ts';
import { countOf } from './reach.ts';

/** Ends a setup, or writes the whole overlay. */
const switchTimeoutMs = 180_000;

/** `spoonctl dotfiles off` and `on` */
export function addSwitch(dotfiles: Command, line: CommandLine): void {
  const verbs = {
    off: 'apply nothing of them, overlay and repository; your home is given back as it was without them',
    on: 'apply all of them again',
  };
  for (const [verb, description] of Object.entries(verbs)) {
    withJson(dotfiles.command(verb).description(description))
      .addHelpText('after', helpText)
      .action(async (options: JsonOption) => {
        const { api } = await connect(line);
        const body = { on: verb === 'on' };
        const switched = await api.call('switchDotfiles', { body, timeoutMs: switchTimeoutMs });
        line.print(options, switched, () => switchText(switched).join('\n'));
      });
  }
}

const helpText = `
Off: files that Spoon wrote are taken out of the home and what they displaced is put back; what you changed by
hand stays. Spoon keeps everything, and it can be edited meanwhile.`;

/** What happened, and what stayed, in plain lines. */
function switchText({ on, applied, setup, takenOut }: SwitchedDotfiles): string[] {
  if (on) {
    if (!applied) return ['Dotfiles are on. Your box is off and gets them at its next start.'];
    const next = setup === 'begun' ? ' The setup of the repository runs; spoonctl dotfiles repo show tells how.' : '';
    return [`Dotfiles are on, and in your home.${next}`];
  }
  const ended = setup === 'cancelled' ? ['The setup that was under way has been cancelled.'] : [];
  if (!applied || takenOut === undefined) {
    return [...ended, 'Dotfiles are off. Your box is off too: its home is given back at its next start.'];
  }
  const { removed, restored, kept } = takenOut;
  const back = restored === 0 ? '' : `; in the place of ${restored} of them is what was there before`;
  return [
    ...ended,
    `Dotfiles are off. ${countOf(removed)} of Spoon taken out of your home${back}. Spoon keeps them all.`,
    ...(kept.length === 0 ? [] : ['These stayed in your home, changed by hand or there before Spoon:']),
    ...kept.map((path) => `  ${path}`),
  ];
}
