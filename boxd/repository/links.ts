import { lstatSync, mkdirSync, readdirSync, readlinkSync, renameSync, symlinkSync, unlinkSync } from 'node:fs';
import { dirname } from 'node:path';
import { repositoryFolder } from '../../protocol/setupScript.ts';
import { hasCode, toHomeError } from '../home/homeErrors.ts';
import { moveAside } from './moveAside.ts';
import { readSpoonFile, removeSpoonFile, writeSpoonFile } from './spoonFiles.ts';

/** Without a setup script, the repository's dot entries are linked into the home, and can be taken out again. */

interface MadeLink {
  readonly path: string;
  readonly target: string;
  /** What was there before, relative to the home. */
  readonly backup: string | null;
}

const linksFile = 'links.json';
/** About the repository and not about a home. */
const notLinked = new Set([
  '.git',
  '.gitignore',
  '.gitattributes',
  '.gitmodules',
  '.github',
  '.gitlab',
  '.gitlab-ci.yml',
  '.travis.yml',
  '.circleci',
  '.devcontainer',
  '.DS_Store',
  '.spoon',
  repositoryFolder,
]);

/** What linking does, or would do, to one path of the home. `kept`: Spoon's own dotfiles have it. */
export interface LinkStep {
  readonly path: string;
  readonly action: 'linked' | 'displaced' | 'unlinked' | 'restored' | 'kept';
}

export interface LinkReport {
  readonly linked: number;
  readonly backups: readonly string[];
  readonly skipped: readonly string[];
}

/**
 * Links each top-level dot entry of the checkout. A folder that the home has already, or that dotfiles of the overlay are
 * in, stays one, and what the repository has in it is linked one by one: a cache beside it must not vanish. What the
 * overlay wrote is left alone (decision 6). Anything else in the way is moved to the backups.
 * @param overlay the paths that Spoon keeps itself
 * @throws SpoonError `home-not-writable`, `insufficient-storage`, …
 */
export function linkEntries(home: string, overlay: Iterable<string>): LinkReport {
  const before = new Map(readLinks(home).map((link) => [link.path, link]));
  const maker = new LinkMaker({ home, root: `${home}/${repositoryFolder}`, overlay, before, hands: realHands(home) });
  let isComplete = false;
  try {
    maker.placeAll();
    isComplete = true;
  } finally {
    // Also after a failure half-way: what was made, now or before, must be known, to be taken out.
    const others = isComplete ? [] : [...before.values()].filter(({ path }) => !maker.remembered.has(path));
    writeLinks(home, [...maker.remembered.values(), ...others]);
  }
  for (const link of before.values()) if (!maker.remembered.has(link.path)) takeOut(home, link);
  const skipped = maker.steps.filter(({ action }) => action === 'kept').map(({ path }) => path);
  return { linked: maker.made.size, backups: maker.backups, skipped };
}

/**
 * What {@link linkEntries} would do to the home with the checkout at `root` in place of `~/.dotfiles`; does nothing.
 * @param overlay the paths that Spoon keeps itself @param root undefined: all links would be taken out
 */
export function planLinks(home: string, root: string | undefined, overlay: Iterable<string>): LinkStep[] {
  const before = new Map(readLinks(home).map((link) => [link.path, link]));
  const made = new Set<string>();
  const steps: LinkStep[] = [];
  if (root !== undefined) {
    const maker = new LinkMaker({ home, root, overlay, before, hands: noHands });
    maker.placeAll();
    for (const path of maker.made.keys()) made.add(path);
    steps.push(...maker.steps);
  }
  for (const { path, target, backup } of before.values()) {
    if (!made.has(path) && isLinkTo(`${home}/${path}`, target)) {
      steps.push({ path, action: backup === null ? 'unlinked' : 'restored' });
    }
  }
  return steps;
}

/** Takes out every link that is still as it was made, and puts back what was there. @returns how many */
export function unlinkEntries(home: string): number {
  const links = readLinks(home);
  const taken = links.filter((link) => takeOut(home, link)).length;
  removeSpoonFile(home, linksFile);
  return taken;
}

/** Whether the home has links of Spoon's into the checkout. */
export function hasLinks(home: string): boolean {
  return readLinks(home).length > 0;
}

/** What changes the home; a plan has none. */
interface Hands {
  /** @returns where it is now */
  setAside(path: string): string | null;
  makeFolder(at: string): void;
  link(target: string, at: string): void;
}

function realHands(home: string): Hands {
  return {
    setAside: (path) => moveAside(home, path) ?? null,
    makeFolder: (at) => mkdirSync(at, { recursive: true }),
    link: symlinkSync,
  };
}

const noHands: Hands = { setAside: () => null, makeFolder: () => {}, link: () => {} };

interface MakerParts {
  readonly home: string;
  readonly root: string;
  readonly overlay: Iterable<string>;
  readonly before: ReadonlyMap<string, MadeLink>;
  readonly hands: Hands;
}

class LinkMaker {
  readonly made = new Map<string, MadeLink>();
  /** With those that a dotfile of the overlay has displaced: when it gives them back, they are to be taken out. */
  readonly remembered = new Map<string, MadeLink>();
  readonly backups: string[] = [];
  readonly steps: LinkStep[] = [];
  readonly #home: string;
  readonly #root: string;
  readonly #overlay: ReadonlySet<string>;
  readonly #before: ReadonlyMap<string, MadeLink>;
  readonly #hands: Hands;

  constructor({ home, root, overlay, before, hands }: MakerParts) {
    this.#home = home;
    this.#root = root;
    this.#overlay = new Set(overlay);
    this.#before = before;
    this.#hands = hands;
  }

  placeAll(): void {
    const names = readdirSync(this.#root).sort();
    for (const name of names) {
      if (!name.startsWith('.') || notLinked.has(name)) continue;
      try {
        this.#place(name);
      } catch (error) {
        throw toHomeError(error, name);
      }
    }
  }

  #place(path: string): void {
    if (this.#overlay.has(path)) {
      const link = this.#before.get(path);
      if (link !== undefined) this.remembered.set(path, link);
      this.steps.push({ path, action: 'kept' });
      return;
    }
    const at = `${this.#home}/${path}`;
    const target = `${'../'.repeat(path.split('/').length - 1)}${repositoryFolder}/${path}`;
    const found = lstatSync(at, { throwIfNoEntry: false });
    const isFolder = lstatSync(`${this.#root}/${path}`).isDirectory();
    if (isFolder && (found?.isDirectory() || this.#holdsOverlay(path))) {
      if (found !== undefined && !found.isDirectory()) this.#setAside(path);
      this.#hands.makeFolder(at);
      for (const name of readdirSync(`${this.#root}/${path}`).sort()) this.#place(`${path}/${name}`);
      return;
    }
    if (found?.isSymbolicLink() && readlinkSync(at) === target) {
      this.#remember({ path, target, backup: this.#before.get(path)?.backup ?? null });
      return;
    }
    const backup = found === undefined ? null : this.#setAside(path);
    this.#hands.link(target, at);
    this.#remember({ path, target, backup });
    this.steps.push({ path, action: found === undefined ? 'linked' : 'displaced' });
  }

  #remember(link: MadeLink): void {
    this.made.set(link.path, link);
    this.remembered.set(link.path, link);
  }

  #setAside(path: string): string | null {
    const backup = this.#hands.setAside(path);
    if (backup !== null) this.backups.push(backup);
    return backup;
  }

  #holdsOverlay(folder: string): boolean {
    for (const path of this.#overlay) if (path.startsWith(`${folder}/`)) return true;
    return false;
  }
}

function takeOut(home: string, { path, target, backup }: MadeLink): boolean {
  const at = `${home}/${path}`;
  if (!isLinkTo(at, target)) return false;
  try {
    unlinkSync(at);
  } catch (error) {
    throw toHomeError(error, path);
  }
  if (backup !== null && lstatSync(`${home}/${backup}`, { throwIfNoEntry: false }) !== undefined) {
    mkdirSync(dirname(at), { recursive: true });
    renameSync(`${home}/${backup}`, at);
  }
  return true;
}

function isLinkTo(at: string, target: string): boolean {
  try {
    return readlinkSync(at) === target;
  } catch (error) {
    // EINVAL: something else has the name now, and is not Spoon's to touch.
    if (hasCode(error, 'EINVAL', 'ENOENT', 'ENOTDIR')) return false;
    throw toHomeError(error, at);
  }
}

function writeLinks(home: string, links: readonly MadeLink[]): void {
  writeSpoonFile(home, linksFile, JSON.stringify({ format: 1, links }));
}

function readLinks(home: string): MadeLink[] {
  const text = readSpoonFile(home, linksFile);
  if (text === undefined) return [];
  try {
    const { links } = JSON.parse(text) as { links: unknown };
    return Array.isArray(links) ? links.filter(isMadeLink) : [];
  } catch {
    // Edited by hand: then nothing is known to be ours, and nothing is taken out.
    return [];
  }
}

function isMadeLink(value: unknown): value is MadeLink {
  if (typeof value !== 'object' || value === null) return false;
  const { path, target, backup } = value as Record<string, unknown>;
  const isPlain = (text: unknown) =>
    typeof text === 'string' && !text.split('/').includes('..') && !text.startsWith('/');
  return isPlain(path) && typeof target === 'string' && (backup === null || isPlain(backup));
}
