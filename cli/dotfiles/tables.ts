import type { Dotfile, DotfileVersion, SaveResult } from '../../protocol/dotfiles.ts';
import { formatFileMode } from '../../protocol/fileMode.ts';
import { columns, formatTime } from '../commandLine.ts';
import { withApplied } from './reach.ts';

export function savedText({ dotfile, applied, warnings }: SaveResult): string {
  const lines = [withApplied(`Saved ${dotfile.path} as version ${dotfile.version}.`, applied)];
  if (warnings.includes('case-collision'))
    lines.push('Another dotfile has the same name but for upper and lower case.');
  if (warnings.includes('not-portable')) lines.push('Its name cannot be used on every system.');
  return lines.join('\n');
}

/** `-644`, `l777`, `d755`: as `ls -l` marks them. */
export function modeText({ kind, mode }: { kind: Dotfile['kind']; mode: number }): string {
  return `${kind === 'file' ? '-' : kind === 'symlink' ? 'l' : 'd'}${formatFileMode(mode)}`;
}

export function dotfileTable(dotfiles: readonly Dotfile[]): string {
  if (dotfiles.length === 0) return 'No dotfiles yet. Keep the first with: spoonctl dotfiles put ~/.bashrc';
  return columns(
    ['MODE', 'SIZE', 'VERSION', 'CHANGED', 'PATH'],
    dotfiles.map((dotfile) => [
      modeText(dotfile),
      dotfile.size,
      dotfile.version,
      formatTime(dotfile.modifiedMs),
      dotfile.path,
    ]),
  );
}

export function historyTable(versions: readonly DotfileVersion[]): string {
  return columns(
    ['VERSION', 'MODE', 'SIZE', 'FROM', 'CREATED', ''],
    versions.map((version) => [
      version.version,
      modeText(version),
      version.size,
      version.origin,
      formatTime(version.createdMs),
      version.current ? 'current' : '',
    ]),
  );
}
