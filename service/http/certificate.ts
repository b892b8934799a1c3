import { createPrivateKey, X509Certificate } from 'node:crypto';
import { readFile, stat } from 'node:fs/promises';
import { createSecureContext, type SecureContextOptions } from 'node:tls';
import { SpoonError } from '../../protocol/errors.ts';

export interface CertificateFiles {
  /** PEM, the service's own first, then those that vouch for it. */
  readonly certFile: string;
  readonly keyFile: string;
}

export interface CertificateParts {
  readonly files: CertificateFiles;
  /** Another pair is in use. */
  readonly onLoaded: (text: string) => void;
  /** A new pair cannot be used; the one before still is. */
  readonly onRefused: (text: string) => void;
}

type Pair = Required<Pick<SecureContextOptions, 'cert' | 'key' | 'minVersion'>>;

const dayMs = 24 * 60 * 60 * 1000;
/** Let's Encrypt renews 30 days before the end: with less than this left, renewing has failed for weeks. */
const soonMs = 14 * dayMs;
/** Looked at by time and not by watching: mounts of secrets are swapped by links, over which watchers lose their file. */
const lookMs = 5_000;

/** The pair of certificate and key in use, and its changes. Connections keep theirs; new handshakes get the new one. */
export class Certificate {
  readonly #parts: CertificateParts;
  #pair: Pair;
  #expiresMs: number;
  #seen: string;
  #refused: string | undefined;
  #apply: (pair: Pair) => void = () => undefined;
  #timer: NodeJS.Timeout | undefined;
  #looking: Promise<void> = Promise.resolve();

  private constructor(parts: CertificateParts, loaded: Loaded, seen: string) {
    this.#parts = parts;
    this.#pair = loaded.pair;
    this.#expiresMs = loaded.expiresMs;
    this.#seen = seen;
  }

  /** @throws SpoonError `config-invalid` with the setting and what is wrong with its file */
  static async open(parts: CertificateParts): Promise<Certificate> {
    const seen = await markOf(parts.files);
    return new Certificate(parts, await load(parts.files), seen);
  }

  get pair(): Pair {
    return this.#pair;
  }

  /** @param apply gives a new pair to whoever shakes hands with it */
  follow(apply: (pair: Pair) => void): void {
    this.#apply = apply;
    this.#timer = setInterval(() => void this.#lookAgain(), lookMs);
    this.#timer.unref();
  }

  /** Reads the files again, also when they look as they did; resolves when that is done. */
  reload(): Promise<void> {
    this.#looking = this.#looking.then(() => this.#load());
    return this.#looking;
  }

  /** In plain words, for administrators. */
  problems(now = Date.now()): string[] {
    const leftMs = this.#expiresMs - now;
    const days = Math.floor(leftMs / dayMs);
    return [
      ...(this.#refused === undefined ? [] : [`The new certificate is not used: ${this.#refused}`]),
      ...(leftMs <= 0 ? ['The certificate has expired.'] : []),
      ...(leftMs > 0 && leftMs < soonMs ? [`The certificate expires in ${days} days.`] : []),
    ];
  }

  async close(): Promise<void> {
    clearInterval(this.#timer);
    await this.#looking;
  }

  #lookAgain(): Promise<void> {
    this.#looking = this.#looking.then(async () => {
      if ((await markOf(this.#parts.files)) !== this.#seen) await this.#load();
    });
    return this.#looking;
  }

  async #load(): Promise<void> {
    const seen = await markOf(this.#parts.files);
    this.#seen = seen;
    try {
      const { pair, expiresMs } = await load(this.#parts.files);
      this.#pair = pair;
      this.#expiresMs = expiresMs;
      this.#refused = undefined;
      this.#apply(pair);
      this.#parts.onLoaded(`The certificate is valid until ${new Date(expiresMs).toISOString()}.`);
    } catch (error) {
      if (!(error instanceof SpoonError)) throw error;
      this.#refused = error.detail ?? error.title;
      this.#parts.onRefused(this.#refused);
    }
  }
}

interface Loaded {
  readonly pair: Pair;
  readonly expiresMs: number;
}

/** Changes when either file does, also when a link leads to another. */
async function markOf({ certFile, keyFile }: CertificateFiles): Promise<string> {
  const marks = await Promise.all(
    [certFile, keyFile].map((path) =>
      stat(path).then(
        ({ ino, size, mtimeMs, ctimeMs }) => [ino, size, mtimeMs, ctimeMs].join(' '),
        // Told when it is read.
        () => 'unreadable',
      ),
    ),
  );
  return marks.join('\n');
}

async function load({ certFile, keyFile }: CertificateFiles): Promise<Loaded> {
  const cert = await read('SPOON_TLS_CERT', certFile, 'a certificate in PEM');
  const key = await read('SPOON_TLS_KEY', keyFile, 'its private key in PEM, without a passphrase');
  if (((await stat(keyFile)).mode & 0o007) !== 0) {
    throw refusal('SPOON_TLS_KEY', keyFile, 'others than its owner and group may use it. Run chmod o= on it');
  }
  const certificate = parsed('SPOON_TLS_CERT', certFile, 'it holds no certificate in PEM', () => {
    return new X509Certificate(cert);
  });
  const isPair = parsed('SPOON_TLS_KEY', keyFile, 'it holds no private key in PEM without a passphrase', () =>
    certificate.checkPrivateKey(createPrivateKey(key)),
  );
  if (!isPair) throw refusal('SPOON_TLS_KEY', keyFile, 'it is not the key of the certificate in SPOON_TLS_CERT');
  const pair: Pair = { cert, key, minVersion: 'TLSv1.2' };
  parsed('SPOON_TLS_CERT', certFile, 'TLS cannot use it', () => createSecureContext(pair));
  return { pair, expiresMs: Date.parse(certificate.validTo) };
}

async function read(name: string, path: string, accepted: string): Promise<Buffer> {
  try {
    return await readFile(path);
  } catch (cause) {
    const code = cause instanceof Error && 'code' in cause ? String(cause.code) : 'unknown';
    throw refusal(name, path, `it cannot be read (${code}). Accepted: ${accepted}`, cause);
  }
}

function parsed<T>(name: string, path: string, why: string, parse: () => T): T {
  try {
    return parse();
  } catch (cause) {
    throw refusal(name, path, why, cause);
  }
}

function refusal(name: string, path: string, why: string, cause?: unknown): SpoonError {
  return new SpoonError('config-invalid', `${name} is ${JSON.stringify(path)}: ${why}.`, { cause });
}
