import { readFile, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { SpoonError } from '../../protocol/errors.ts';

/** Beside the socket that boxd dials; a box sees it read-only and makes it one with its image's own (`boxd/git/caBundle.ts`). */
const fileName = 'ca.pem';

/** The operator's certificate authorities. @throws SpoonError `config-invalid` */
export async function readAuthorities(caFile: string | undefined): Promise<string | undefined> {
  if (caFile === undefined) return undefined;
  const accepted = 'Accepted: a readable PEM file with certificates.';
  const text = await readFile(caFile, 'utf8').catch((cause: NodeJS.ErrnoException) => {
    throw new SpoonError('config-invalid', `SPOON_CA_FILE cannot be read (${cause.code}). ${accepted}`, { cause });
  });
  if (!text.includes('-----BEGIN CERTIFICATE-----')) {
    throw new SpoonError('config-invalid', `SPOON_CA_FILE holds no certificate. ${accepted}`);
  }
  return text;
}

/** Also for a box that runs: it reads them each time. */
export async function layAuthorities(socketDir: string, authorities: string | undefined): Promise<void> {
  const path = join(socketDir, fileName);
  if (authorities === undefined) {
    await rm(path, { force: true });
    return;
  }
  await writeFile(`${path}.new`, authorities, { mode: 0o644 });
  await rename(`${path}.new`, path);
}
