import { type Argon2Parameters, argon2 } from 'node:crypto';
import { constants } from 'node:fs';
import { open } from 'node:fs/promises';
import { promisify } from 'node:util';
import { SpoonError } from '../../protocol/errors.ts';
import { keyBytes } from './envelope.ts';

/**
 * Where the root key comes from. Fails closed: nothing is made up, repaired or guessed, and a key that is no key stops the
 * start (security.md 2.1 and 2.6). Values never go into an error or a log.
 */

/** One way to the 32 bytes of a root key. */
export interface RootKeyCandidate {
  /** @param salt of the database's keyring; only a passphrase needs it */
  bytes(salt: Uint8Array): Promise<Buffer>;
}

export interface RootKey {
  /** The setting that it came from, for the log. */
  readonly source: string;
  readonly current: RootKeyCandidate;
  /** Open what was sealed before; seal nothing. */
  readonly old: readonly RootKeyCandidate[];
}

export interface RootKeySettings {
  /** SPOON_ENCRYPTION_KEY and its file: 32 bytes as base64, base64url or hex. */
  readonly key?: string | undefined;
  readonly keyFile?: string | undefined;
  /** INSTANCE_SECRET and its file: a text; used where no key is set. */
  readonly instanceSecret?: string | undefined;
  readonly instanceSecretFile?: string | undefined;
  /** SPOON_ENCRYPTION_KEYS_OLD, split: former keys or instance secrets. */
  readonly oldKeys: readonly string[];
}

const names = {
  key: 'SPOON_ENCRYPTION_KEY',
  secret: 'INSTANCE_SECRET',
  old: 'SPOON_ENCRYPTION_KEYS_OLD',
} as const;
const minSecretCharacters = 32;
const maxKeyFileBytes = 4096;
/** 32 random bytes have 30 different ones on average, and never in practice fewer than 16. */
const minDifferentBytes = 16;
const minDifferentCharacters = 8;

/**
 * @throws SpoonError `key-missing` when nothing is set, `key-invalid` with the name of the setting and what is wrong with it
 */
export async function readRootKey(settings: RootKeySettings): Promise<RootKey> {
  const old = settings.oldKeys.flatMap((text) => oldCandidates(text));
  const key = await settingText(names.key, settings.key, settings.keyFile);
  if (key !== undefined) return { source: key.source, current: rawCandidate(parseKey(key.text, key.source)), old };
  const secret = await settingText(names.secret, settings.instanceSecret, settings.instanceSecretFile);
  if (secret !== undefined) {
    return { source: secret.source, current: secretCandidate(checkSecret(secret.text, secret.source)), old };
  }
  throw new SpoonError(
    'key-missing',
    `Set ${names.key} to 32 random bytes in base64 (openssl rand -base64 32), or ${names.secret} to a text of at least ${minSecretCharacters} characters. Keep it: without it nothing that is stored can be read.`,
  );
}

async function settingText(
  name: string,
  text: string | undefined,
  file: string | undefined,
): Promise<{ text: string; source: string } | undefined> {
  if (text !== undefined && file !== undefined) throw invalid(name, `is set twice: also as ${name}_FILE. Keep one.`);
  if (text !== undefined) return { text, source: name };
  if (file !== undefined) return { text: await readSecretFile(file, `${name}_FILE`), source: `${name}_FILE` };
  return undefined;
}

function invalid(source: string, why: string, cause?: unknown): SpoonError {
  return new SpoonError('key-invalid', `${source} ${why}`, { cause });
}

/** @throws SpoonError `key-invalid` for a file that others may read, or that is none */
export async function readSecretFile(file: string, source: string): Promise<string> {
  // NONBLOCK: opening a pipe would wait for a writer for ever.
  const flags = constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK;
  const handle = await open(file, flags).catch((cause: unknown) => {
    const code = cause instanceof Error && 'code' in cause ? cause.code : undefined;
    if (code === 'ELOOP') throw invalid(source, 'names a symbolic link. Name the file itself.', cause);
    if (code === 'ENOENT') throw invalid(source, 'names a file that does not exist.', cause);
    throw invalid(source, 'names a file that cannot be opened.', cause);
  });
  try {
    const facts = await handle.stat();
    if (!facts.isFile()) throw invalid(source, 'does not name a regular file.');
    if (facts.uid !== 0 && facts.uid !== process.getuid?.()) {
      throw invalid(source, 'names a file that belongs to somebody else. It must be yours or root’s.');
    }
    if ((facts.mode & 0o077) !== 0) throw invalid(source, 'names a file that others may read. Run chmod 600 on it.');
    if (facts.size > maxKeyFileBytes) throw invalid(source, 'names a file that is too large to be a key.');
    return (await handle.readFile('utf8')).replace(/\r?\n$/, '');
  } finally {
    await handle.close();
  }
}

/** @throws SpoonError `key-invalid` */
function parseKey(text: string, source: string): Buffer {
  const bytes = decodeKey(text);
  if (bytes === undefined) {
    throw invalid(
      source,
      `must be exactly ${keyBytes} bytes, as base64, base64url or hex without spaces. A new one: openssl rand -base64 32`,
    );
  }
  if (isGuessable(bytes)) {
    throw invalid(source, 'is a pattern or an example, not a random key. A new one: openssl rand -base64 32');
  }
  return bytes;
}

function decodeKey(text: string): Buffer | undefined {
  if (/^[0-9a-fA-F]{64}$/.test(text)) return Buffer.from(text, 'hex');
  const encoding = /[-_]/.test(text) ? 'base64url' : 'base64';
  const bytes = Buffer.from(text, encoding);
  const unpadded = text.replace(/=$/, '');
  // Node skips what it cannot decode; only a text that comes out again was a whole one.
  const isWhole = bytes.toString(encoding).replace(/=$/, '') === unpadded;
  return bytes.length === keyBytes && isWhole ? bytes : undefined;
}

function isGuessable(bytes: Buffer): boolean {
  if (new Set(bytes).size < minDifferentBytes) return true;
  // A text that happens to have 32 letters; random bytes are all printable once in 10^13 keys.
  if (bytes.every((byte) => byte >= 0x20 && byte < 0x7f)) return true;
  const step = ((bytes[1] ?? 0) - (bytes[0] ?? 0)) & 0xff;
  if (bytes.every((byte, index) => index === 0 || ((byte - (bytes[index - 1] ?? 0)) & 0xff) === step)) return true;
  const half = keyBytes / 2;
  return bytes.subarray(0, half).equals(bytes.subarray(half));
}

/** @throws SpoonError `key-invalid` */
function checkSecret(text: string, source: string): string {
  if ([...text].length < minSecretCharacters) {
    throw invalid(source, `must have at least ${minSecretCharacters} characters. A new one: openssl rand -base64 32`);
  }
  if (!text.isWellFormed() || new Set(text).size < minDifferentCharacters) {
    throw invalid(source, 'is too easy to guess. A new one: openssl rand -base64 32');
  }
  return text;
}

function rawCandidate(bytes: Buffer): RootKeyCandidate {
  return { bytes: async () => bytes };
}

/** An old entry may have been either; the keyring's check value tells which. */
function oldCandidates(text: string): RootKeyCandidate[] {
  const bytes = decodeKey(text);
  const isLongEnough = [...text].length >= minSecretCharacters;
  if (bytes === undefined && !isLongEnough) {
    throw invalid(
      names.old,
      `has an entry that is neither ${keyBytes} bytes nor a text of ${minSecretCharacters} characters.`,
    );
  }
  return [...(bytes === undefined ? [] : [rawCandidate(bytes)]), ...(isLongEnough ? [secretCandidate(text)] : [])];
}

const runArgon2: (algorithm: 'argon2id', parameters: Argon2Parameters) => Promise<Buffer> = promisify(argon2);

/** Argon2id with 64 MiB and 3 passes (security.md 2.1): about 0.2 s, once per salt. */
function secretCandidate(text: string): RootKeyCandidate {
  const derived = new Map<string, Promise<Buffer>>();
  return {
    bytes(salt) {
      const name = Buffer.from(salt).toString('hex');
      const known = derived.get(name);
      if (known !== undefined) return known;
      const bytes = runArgon2('argon2id', {
        message: Buffer.from(text, 'utf8'),
        nonce: salt,
        memory: 64 * 1024,
        passes: 3,
        parallelism: 1,
        tagLength: keyBytes,
      });
      derived.set(name, bytes);
      return bytes;
    },
  };
}
