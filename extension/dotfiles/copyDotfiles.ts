import { type HomePath, parseHomePath } from '../../protocol/homePath.ts';
import type { HomeDotfiles } from './homeDotfiles.ts';
import { inParallel } from './inParallel.ts';

const atOnce = 6;

/** A file, or a folder with all below it, with modes: a copied script stays executable. What is there is replaced. @throws SpoonError */
export async function copyDotfiles(dotfiles: HomeDotfiles, from: string, to: string): Promise<void> {
  await inParallel(dotfiles.below(from), atOnce, async (dotfile) => {
    const path = parseHomePath(to + dotfile.path.slice(from.length));
    const { bytes, kind, mode } = await dotfiles.read(dotfile.path as HomePath);
    await dotfiles.save(path, bytes, { base: dotfiles.entry(path)?.dotfile ?? 'create', kind, mode });
  });
}
