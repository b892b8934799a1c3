import { readFileSync } from 'node:fs';
import { getCACertificates, setDefaultCACertificates } from 'node:tls';
import { UsageError } from './commandLine.ts';

/** Trusts the authorities of `SPOON_CA_FILE` beside the built-in ones, for requests and WebSockets alike. */
export function trustOwnAuthorities(env: NodeJS.ProcessEnv): void {
  const file = env.SPOON_CA_FILE;
  if (file === undefined || file === '') return;
  try {
    setDefaultCACertificates([...getCACertificates('default'), readFileSync(file, 'utf8')]);
  } catch (error) {
    throw new UsageError(
      `SPOON_CA_FILE names ${file}, which does not hold certificates (${(error as Error).message}).`,
    );
  }
}
