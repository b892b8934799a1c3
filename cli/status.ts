import type { Command } from 'commander';
import type { Box, Health } from '../protocol/boxes.ts';
import { type CommandLine, formatTime, type JsonOption, withJson } from './commandLine.ts';
import { connect } from './connection.ts';
import { nameOf } from './login.ts';
import { stageText } from './repository.ts';

/** `spoonctl status` */
export function addStatus(program: Command, line: CommandLine): void {
  withJson(program.command('status').description('the service, your box and what holds it')).action(
    async (options: JsonOption) => {
      const { api } = await connect(line);
      const health = await api.checkCompatible();
      const me = await api.call('me');
      // An administrator has no box and no dotfiles.
      const box = me.kind === 'user' ? await api.call('box') : null;
      const isReader = me.scopes.includes('files:read');
      const dotfiles = isReader ? (await api.call('listDotfiles')).dotfiles.length : null;
      const isOff = isReader && !(await api.call('dotfilesSwitch')).on;
      line.print(options, { url: api.url, health, me, box, dotfiles, dotfilesOn: !isOff }, () =>
        [
          `Service   ${serviceText(api.host, health)}`,
          ...health.problems.map((problem) => `          ${problem}`),
          `Account   ${nameOf(me)}`,
          ...(dotfiles === null
            ? []
            : [`Dotfiles  ${dotfiles}${isOff ? ', turned off; on again with: spoonctl dotfiles on' : ''}`]),
          ...(box === null ? [] : [`Box       ${boxText(box)}`]),
        ].join('\n'),
      );
    },
  );
}

function serviceText(host: string, { version, status, engine }: Health): string {
  const boxes = engine === 'none' ? 'no boxes' : `${engine} boxes`;
  return `${host}, Spoon ${version}, ${boxes}, ${status === 'ok' ? 'well' : 'with problems:'}`;
}

/** What a person wants to know of a box, on one line and, where it is held or failed, on more. */
export function boxText(box: Box): string {
  const since = box.startedMs === null ? '' : ` since ${formatTime(box.startedMs)}`;
  const stops = box.stopsAtMs === null ? '' : `, stops at ${formatTime(box.stopsAtMs)} unless used`;
  const lines = [`${box.state}${since}${stops}`];
  if (box.silentMs !== undefined)
    lines.push(
      `has not answered for ${Math.round(box.silentMs / 1000)} s: it may be busy. To end all that runs in it: spoonctl box restart`,
    );
  for (const { kind, label } of box.holders) if (kind !== 'pin') lines.push(`held by ${kind} ${label}`);
  if (box.pinnedUntilMs !== undefined) lines.push(`kept until ${formatTime(box.pinnedUntilMs)}, as you asked`);
  for (const stage of box.stages) {
    if (stage.state !== 'ok' || stage.name !== 'overlay') lines.push(stageText(stage));
  }
  if (box.outdated?.includes('image'))
    lines.push('runs an older image than new boxes get; replaced when nothing holds it, or by: spoonctl box restart');
  else if (box.outdated !== undefined)
    lines.push(
      'was made by an older service or with other limits; replaced when nothing holds it, or by: spoonctl box restart',
    );
  if (box.detail !== undefined) lines.push(box.detail);
  return lines.join('\n          ');
}
