import type { Command } from 'commander';
import type { DotfileDrift } from '../../protocol/dotfiles.ts';
import type { LayerReport } from '../../protocol/layers.ts';
import { type CommandLine, columns, formatTime, type JsonOption, UsageError, withJson } from '../commandLine.ts';
import { exitCodes } from '../exitCodes.ts';
import { boxText } from '../status.ts';
import { reach, withApplied } from './reach.ts';

interface DriftOptions extends JsonOption {
  readonly take?: true;
  readonly restore?: true;
}

/** A start writes the whole overlay. */
const applyTimeoutMs = 180_000;

/** `spoonctl dotfiles drift` and `apply` */
export function addDrift(dotfiles: Command, line: CommandLine): void {
  withJson(dotfiles.command('drift').argument('[path]').description('what was changed by hand in the home'))
    .option('--take', 'make what is in the home the current version')
    .option('--restore', 'write the current version into the home; what is there becomes a version')
    .addHelpText('after', driftHelp)
    .action(async (typed: string | undefined, { take, restore, ...options }: DriftOptions) => {
      const { api, pathOf } = await reach(line);
      if (take && restore) throw new UsageError('Give either --take or --restore.');
      if (typed === undefined) {
        if (take || restore) throw new UsageError('Say which dotfile: spoonctl dotfiles drift PATH.');
        const list = await api.drift();
        line.print(options, list, () => driftTable(list.drifts, list.watching));
        return;
      }
      const path = pathOf(typed);
      if (take) {
        const taken = await api.takeDrift(path);
        const what = taken.dotfile === null ? `Removed ${path}.` : `Saved ${path} as version ${taken.dotfile.version}.`;
        line.print(options, taken, () => withApplied(what, taken.applied));
      } else if (restore) {
        const restored = await api.restoreDrift(path);
        const { state, detail } = restored.applied;
        if (state === 'refused') {
          line.exitCode = exitCodes.refused;
          if (options.json) line.print(options, restored, () => '');
          line.note(notRestored(path, detail));
          return;
        }
        const kept =
          restored.keptVersion === undefined ? '' : ` What was in the home is version ${restored.keptVersion}.`;
        line.print(options, restored, () => withApplied(`Restored ${path}.${kept}`, restored.applied));
      } else {
        const { drifts, watching } = await api.drift();
        const found = drifts.filter((drift) => drift.path === path || drift.path.startsWith(`${path}/`));
        line.print(options, { watching, drifts: found }, () => driftTable(found, watching));
      }
    });

  withJson(
    dotfiles.command('why').argument('<path>').description('which layer made a file of the home, and what lost'),
  ).action(async (typed: string, options: JsonOption) => {
    const { api, pathOf } = await reach(line);
    const report = await api.layers(pathOf(typed));
    line.print(options, report, () => layerText(report));
  });

  withJson(dotfiles.command('apply').description('check the home against all dotfiles and repair it')).action(
    async (options: JsonOption) => {
      const { client } = await reach(line);
      const box = await client.call('applyDotfiles', { timeoutMs: applyTimeoutMs });
      line.print(options, box, () => `Box       ${boxText(box)}`);
    },
  );
}

const driftHelp = `
States: modified, missing, mode, replaced (by something of another kind), kept (the edit was in the way and
is a version now), conflict (edited in the home and saved in Spoon).

Examples:
  spoonctl dotfiles drift
  spoonctl dotfiles diff ~/.bashrc
  spoonctl dotfiles drift ~/.bashrc --take`;

function notRestored(path: string, detail = 'Your box could not take it.'): string {
  return `${path} could not be restored. ${detail} Look at what is at ~/${path} in your box, then run this again.`;
}

function driftTable(drifts: readonly DotfileDrift[], watching: boolean): string {
  const off = watching ? '' : 'Your box is off; what is in its home is not known. ';
  if (drifts.length === 0) return `${off}Nothing is known to have been changed by hand.`;
  const table = columns(
    ['STATE', 'SIZE', 'CHANGED', 'BASE', 'KEPT AS', 'PATH'],
    drifts.map(({ state, home, baseVersion, driftVersion, path }) => [
      state,
      home?.size ?? '-',
      home === undefined ? '-' : formatTime(home.modifiedMs),
      baseVersion ?? '-',
      driftVersion ?? '-',
      path,
    ]),
  );
  return off === '' ? table : `${off}\n${table}`;
}

function layerText({ path, watching, layers }: LayerReport): string {
  if (layers.length === 0) return watching ? `Nothing is at ${path}.` : `${path} is no dotfile, and your box is off.`;
  return columns(
    ['LAYER', '', 'WHAT'],
    layers.map(({ layer, wins, detail }) => [layer, wins ? 'wins' : '', detail]),
  );
}
