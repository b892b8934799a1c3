import { randomUUID } from 'node:crypto';
import { chmod, mkdir, readFile, realpath, rename, rm, stat, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { type Static, Type } from 'typebox';
import { Value } from 'typebox/value';
import { UsageError } from './commandLine.ts';
import { systemReason } from './systemReason.ts';

const SignIn = Type.Object({
  token: Type.String(),
  /** Which service it was, whatever its address is later. */
  instanceId: Type.String(),
  /** Null for an administrator. */
  username: Type.Union([Type.String(), Type.Null()]),
});
export type SignIn = Static<typeof SignIn>;

const Credentials = Type.Object({
  version: Type.Literal(1),
  /** The address that is meant when none is named: where the last sign-in was. */
  default: Type.Union([Type.String(), Type.Null()]),
  services: Type.Record(Type.String(), SignIn),
});
export type Credentials = Static<typeof Credentials>;

const ownerOnly = 0o600;

/** `~/.config/spoon/credentials.json`, or below `XDG_CONFIG_HOME`. */
export function credentialsFile(env: NodeJS.ProcessEnv, homeDir: string): string {
  const config = env.XDG_CONFIG_HOME?.startsWith('/') ? env.XDG_CONFIG_HOME : join(homeDir, '.config');
  return join(config, 'spoon', 'credentials.json');
}

/** What is stored; nothing yet is an empty one. A file that others may read is closed to them. */
export async function readCredentials(file: string): Promise<Credentials> {
  let text: string;
  try {
    text = await readFile(file, 'utf8');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return { version: 1, default: null, services: {} };
    throw new UsageError(`${file} cannot be read: ${systemReason(error)}.`);
  }
  if (((await stat(file)).mode & 0o077) !== 0) await chmod(file, ownerOnly);
  const value = parseJson(text);
  if (!Value.Check(Credentials, value)) {
    throw new UsageError(`${file} is not what spoonctl wrote. Move it away and sign in again with: spoonctl login`);
  }
  return value;
}

/** Adds or replaces one sign-in and makes its service the default. @param url as `parseServiceUrl` gives it */
export async function storeSignIn(file: string, url: string, signIn: SignIn): Promise<void> {
  const { services } = await readCredentials(file);
  await writeCredentials(file, { version: 1, default: url, services: { ...services, [url]: signIn } });
}

/** @returns false when there was none */
export async function removeSignIn(file: string, url: string): Promise<boolean> {
  const before = await readCredentials(file);
  if (!Object.hasOwn(before.services, url)) return false;
  const services = Object.fromEntries(Object.entries(before.services).filter(([key]) => key !== url));
  const next = before.default === url ? (Object.keys(services)[0] ?? null) : before.default;
  await writeCredentials(file, { version: 1, default: next, services });
  return true;
}

/** Whole or not at all: written beside and renamed. A link (a file kept by a dotfiles tool) stays a link. */
async function writeCredentials(file: string, credentials: Credentials): Promise<void> {
  await mkdir(dirname(file), { recursive: true, mode: 0o700 });
  const target = await realpath(file).catch(() => file);
  const temporary = `${target}.${randomUUID()}.tmp`;
  try {
    const text = `${JSON.stringify(credentials, undefined, 2)}\n`;
    await writeFile(temporary, text, { flag: 'wx', mode: ownerOnly, flush: true });
    await rename(temporary, target);
  } catch (error) {
    await rm(temporary, { force: true });
    throw new UsageError(`${file} cannot be written: ${systemReason(error)}. Nothing was changed.`);
  }
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
