import { closeSync, openSync, readdirSync, readSync } from 'node:fs';
import type { DotfileManager } from '../../protocol/dotfileManagers.ts';
import { hasCode } from '../home/homeErrors.ts';

const maxReadBytes = 64 * 1024;
const aboutRepository =
  /^\.(?:git|gitignore|gitattributes|gitmodules|github|gitlab-ci\.yml|editorconfig|travis\.yml|DS_Store)$/;

/** The manager that a checkout was made with, by the files that each leaves; undefined for a plain one. */
export function recogniseManager(root: string): DotfileManager | undefined {
  const entries = readdirSync(root, { withFileTypes: true });
  const names = new Set(entries.map(({ name }) => name));
  const some = (pattern: RegExp) => [...names].some((name) => pattern.test(name));
  if (some(/^\.chezmoi/) || some(/^(?:private_|readonly_|executable_|symlink_|encrypted_|exact_)*dot_/))
    return 'chezmoi';
  if (names.has('.yadm') || some(/##/) || list(`${root}/.config`).includes('yadm')) return 'yadm';
  if (names.has('home.nix')) return 'home-manager';
  if (names.has('flake.nix') && head(`${root}/flake.nix`).includes('homeConfigurations')) return 'home-manager';
  if (some(/^install\.conf\.(?:ya?ml|json)$/) || names.has('dotbot')) return 'dotbot';
  if (some(/^\.stow/)) return 'stow';
  const hasOwnDotEntries = [...names].some(isDotEntry);
  const packages = entries.filter((entry) => entry.isDirectory() && !entry.name.startsWith('.'));
  if (!hasOwnDotEntries && packages.some(({ name }) => list(`${root}/${name}`).some(isDotEntry))) return 'stow';
  const ignored = names.has('.gitignore') ? head(`${root}/.gitignore`).split('\n') : [];
  if (ignored.some((line) => /^\/?\.(?:cfg|dotfiles|dots|myconf)\/?$|^\*$/.test(line.trim()))) return 'bare-git';
  return undefined;
}

function isDotEntry(name: string): boolean {
  return /^(?:\.[^.]|dot-)/.test(name) && !aboutRepository.test(name);
}

function list(folder: string): string[] {
  try {
    return readdirSync(folder);
  } catch (error) {
    if (hasCode(error, 'ENOENT', 'ENOTDIR', 'EACCES')) return [];
    throw error;
  }
}

function head(path: string): string {
  try {
    const fd = openSync(path, 'r');
    try {
      const bytes = Buffer.alloc(maxReadBytes);
      return bytes.toString('utf8', 0, readSync(fd, bytes));
    } finally {
      closeSync(fd);
    }
  } catch (error) {
    if (hasCode(error, 'ENOENT', 'EISDIR', 'EACCES', 'ELOOP')) return '';
    throw error;
  }
}
