import { readFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { HomeDirectory } from '../home/homeDirectory.ts';
import { hasCode, toHomeError } from '../home/homeErrors.ts';
import { writeFile } from '../home/homeFiles.ts';
import type { Settings } from '../settings.ts';

/** Where images keep the authorities that they trust: Debian, Fedora, Alpine. */
const imageBundles = [
  '/etc/ssl/certs/ca-certificates.crt',
  '/etc/pki/tls/certs/ca-bundle.crt',
  '/etc/ssl/cert.pem',
] as const;
/** Named in the box's system configuration of git, too (`service/boxes/systemFiles.ts`). */
const bundlePath = '.spoon/ca-bundle.pem';

/**
 * git trusts one file and no further one (http.sslCAInfo): the image's own authorities and the operator's, which the service
 * lays beside its socket, become one in the home.
 * @returns its path; undefined without authorities of the operator
 * @throws SpoonError `insufficient-storage`, `home-not-writable`, …
 */
export function layCaBundle({ home, socketPath }: Settings): string | undefined {
  const extra = readIfThere(`${dirname(socketPath)}/ca.pem`);
  if (extra === undefined) return undefined;
  const own = imageBundles.map(readIfThere).find((text) => text !== undefined) ?? '';
  const directory = HomeDirectory.open(home);
  try {
    const text = `${own.trimEnd()}\n${extra}`;
    if (readIfThere(`${home}/${bundlePath}`) !== text) {
      writeFile(
        directory.folder('.spoon', () => {}),
        'ca-bundle.pem',
        Buffer.from(text),
        0o644,
      );
    }
  } catch (error) {
    throw toHomeError(error, bundlePath);
  } finally {
    directory.close();
  }
  return `${home}/${bundlePath}`;
}

function readIfThere(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8');
  } catch (error) {
    if (hasCode(error, 'ENOENT', 'ENOTDIR', 'EACCES')) return undefined;
    throw error;
  }
}
