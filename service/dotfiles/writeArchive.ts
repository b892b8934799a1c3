import { createTarPacker, type TarHeader } from 'modern-tar';
import type { Dotfile } from '../../protocol/dotfiles.ts';

/**
 * Dotfiles as a tar archive (ustar, pax where a name needs it), made while it is read. The owner's name is left out: it is
 * unpacked as whoever unpacks it.
 */
export async function* writeArchive(
  dotfiles: readonly Dotfile[],
  read: (dotfile: Dotfile) => Promise<Uint8Array | undefined>,
): AsyncGenerator<Uint8Array> {
  const { readable, controller } = createTarPacker();
  const pack = async (): Promise<void> => {
    for (const dotfile of dotfiles) {
      const bytes = await read(dotfile);
      // Removed since the list was made, or damaged.
      if (bytes === undefined) continue;
      const writer = controller.add(headerOf(dotfile, bytes)).getWriter();
      if (dotfile.kind === 'file' && bytes.length > 0) await writer.write(bytes);
      await writer.close();
    }
    controller.finalize();
  };
  pack().catch((error: unknown) => controller.error(error));
  yield* readable;
}

function headerOf({ path, kind, mode, modifiedMs }: Dotfile, bytes: Uint8Array): TarHeader {
  const common = { mode, mtime: new Date(modifiedMs), uname: '', gname: '' };
  if (kind === 'directory') return { ...common, name: `${path}/`, type: 'directory', size: 0 };
  if (kind === 'symlink')
    return { ...common, name: path, type: 'symlink', size: 0, linkname: Buffer.from(bytes).toString() };
  return { ...common, name: path, type: 'file', size: bytes.length };
}
