import { X509Certificate } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { getCACertificates, setDefaultCACertificates } from 'node:tls';
import { UsageError } from './commandLine.ts';

const block = /-----BEGIN CERTIFICATE-----[^-]*-----END CERTIFICATE-----/g;

/**
 * Trusts the authorities of `SPOON_CA_FILE` beside the built-in ones, for requests and WebSockets alike.
 * @returns those; none where the variable is not set
 * @throws UsageError for a file that holds none, or anything broken
 */
export function trustOwnAuthorities(env: NodeJS.ProcessEnv): readonly X509Certificate[] {
  const file = env.SPOON_CA_FILE;
  if (file === undefined || file === '') return [];
  try {
    // Node takes a file without any for one without anything to add.
    const blocks = readFileSync(file, 'utf8').match(block);
    if (blocks === null) throw new Error('there is no BEGIN CERTIFICATE in it');
    const found = blocks.map((text) => new X509Certificate(text));
    setDefaultCACertificates([...getCACertificates('default'), ...blocks]);
    return found;
  } catch (error) {
    throw new UsageError(
      `SPOON_CA_FILE names ${file}, which does not hold certificates (${(error as Error).message}).`,
    );
  }
}
