import type Docker from 'dockerode';
import { ensureDebianImage, findDebianImage } from '../provision/debianImage.ts';
import { buildFedoraImage, findFedoraImage } from './fedoraImage.ts';

/**
 * An image for boxes in this Docker: one of ours that it has; else Fedora's where it can be built, else Debian's.
 * @throws Error that says why neither could be made
 */
export async function ensureBoxImage(docker: Docker, host: string, say: (text: string) => void): Promise<string> {
  const found = (await findFedoraImage(docker)) ?? (await findDebianImage(docker));
  if (found !== undefined) return found;
  const noFedora = await buildFedoraImage(host, say).catch((error: Error) => error);
  if (typeof noFedora === 'string') return noFedora;
  say(`No Fedora image: ${noFedora.message}. Taking Debian.`);
  try {
    return await ensureDebianImage(docker, say);
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    throw new Error(`Fedora: ${noFedora.message}. Debian: ${why}`, { cause: error });
  }
}
