import { join, resolve } from 'node:path';
import { SpoonError } from '../protocol/errors.ts';
import { type AccessSettings, type ListenAddress, readAccessSettings } from './accessSettings.ts';
import { type GitSettings, readGitHost, readScratchBytes } from './gitSettings.ts';
import type { CertificateFiles } from './http/certificate.ts';
import { type JobSettings, readJobSettings } from './jobSettings.ts';
import { isNamespacePath, type NetworkSettings, wrongResolver } from './networkSettings.ts';
import { type OidcConfig, readOidcSettings } from './oidcSettings.ts';
import { unusedVariables } from './unusedVariables.ts';

/**
 * Every setting of the service, read once at start. A wrong value stops the start with its name, what was given (never
 * that of a secret) and what is accepted. Nothing else in the service reads an environment variable.
 */
export interface Config {
  /** Absolute. */
  readonly workdir: string;
  /** The same directory as the container engine's host sees it; equal to `workdir` outside a container. */
  readonly hostWorkdir: string;
  readonly databaseFile: string;
  readonly key: KeySettings;
  readonly engine: 'auto' | 'docker' | 'process';
  /** `unix:///path`. */
  readonly dockerHost: string;
  readonly image: string;
  readonly network: NetworkSettings;
  readonly boxIdleMs: number;
  readonly detachedMs: number;
  readonly git: GitSettings;
  readonly jobs: JobSettings;
  /** So long an entry of the audit is kept. */
  readonly auditDays: number;
  readonly listen: ListenAddress;
  /** Where a collector reads figures without a token; undefined: nowhere. */
  readonly metricsListen: ListenAddress | undefined;
  /** Undefined: plain HTTP. */
  readonly tls: CertificateFiles | undefined;
  readonly access: AccessSettings;
  /** Who vouches for people, beside passwords. */
  readonly oidc: OidcConfig | undefined;
  /** What was set, by name; of secrets only that they were. For telling later what was changed. */
  readonly given: Readonly<Record<string, string>>;
  /** What was set and is of no use, in words for the log. */
  readonly warnings: readonly string[];
}

export interface KeySettings {
  readonly key?: string;
  readonly keyFile?: string;
  readonly instanceSecret?: string;
  readonly instanceSecretFile?: string;
  readonly oldKeys: string[];
}

const secretVariables = [
  'SPOON_ENCRYPTION_KEY',
  'SPOON_ENCRYPTION_KEYS_OLD',
  'INSTANCE_SECRET',
  'SPOON_OIDC_CLIENT_SECRET',
  // spoonctl's; the service has no use for it and its boxes and tools must not inherit it
  'SPOON_TOKEN',
] as const;

// setTimeout turns anything longer into 1 ms.
const maxTimerMs = 2 ** 31 - 1;
const minIdleMs = 1000;

/**
 * @param environment variables; the secret ones are deleted from it, so that no child process inherits them
 * @throws SpoonError `config-invalid`
 */
export function readConfig(environment: NodeJS.ProcessEnv, cwd: string): Config {
  const read = new Set<string>();
  const get = (name: string): string | undefined => {
    read.add(name);
    const value = environment[name];
    // Compose files and unit files pass an unset variable on as an empty one.
    return value === undefined || value.trim() === '' ? undefined : value;
  };
  const production = environment.NODE_ENV === 'production';
  const workdir = readDirectory(get, 'SPOON_AGENT_WORKDIR', cwd, {
    fallback: production ? '/var/lib/spoon-agent/work' : join(cwd, '.local', 'agent-work'),
  });
  const access = readAccessSettings({ get, cwd, refuse, readList });
  const config: Omit<Config, 'warnings' | 'given'> = {
    workdir,
    hostWorkdir: readDirectory(get, 'SPOON_AGENT_HOST_WORKDIR', cwd, { fallback: workdir, mustBeAbsolute: true }),
    databaseFile: readDatabase(get('SPOON_DATABASE_URL'), workdir),
    key: readKey(get),
    engine: readEngine(get('SPOON_ENGINE')),
    dockerHost: readDockerHost(get('DOCKER_HOST')),
    image: readImage(get('SPOON_AGENT_IMAGE')),
    network: readNetwork(get('SPOON_AGENT_DNS'), get('SPOON_AGENT_NETWORK_NAMESPACE')),
    boxIdleMs: readMilliseconds('SPOON_AGENT_BOX_IDLE_MS', get('SPOON_AGENT_BOX_IDLE_MS'), 1_800_000),
    detachedMs: readMilliseconds('SPOON_AGENT_DETACHED_MS', get('SPOON_AGENT_DETACHED_MS'), 43_200_000),
    git: readGit(get, cwd),
    jobs: readJobSettings(get, { refuse, readMilliseconds }),
    auditDays: readAuditDays(get('SPOON_AUDIT_RETENTION_DAYS')),
    ...access,
    oidc: readOidcSettings(get, { refuse, publicUrl: access.access.publicUrl }),
  };
  const warnings = unusedVariables(environment, read);
  const isSecret = (name: string) => secretVariables.some((secret) => secret === name);
  const given = Object.fromEntries(
    [...read]
      .sort()
      .flatMap((name) => (get(name) === undefined ? [] : [[name, isSecret(name) ? 'set' : String(get(name))]])),
  );
  for (const name of secretVariables) delete environment[name];
  return { ...config, given, warnings };
}

type Get = (name: string) => string | undefined;

function refuse(name: string, given: string, accepted: string): never {
  throw new SpoonError('config-invalid', `${name} is ${JSON.stringify(given.slice(0, 200))}. Accepted: ${accepted}.`);
}

function readDirectory(
  get: Get,
  name: string,
  cwd: string,
  { fallback, mustBeAbsolute = false }: { fallback: string; mustBeAbsolute?: boolean },
): string {
  const given = get(name);
  if (given === undefined) return fallback;
  // A colon or a comma would cut a mount option in two; control characters would hide what the path is.
  if (/[\p{Cc}:,]/u.test(given) || (mustBeAbsolute && !given.startsWith('/'))) {
    refuse(name, given, `${mustBeAbsolute ? 'an absolute' : 'a'} path of a directory without colons and commas`);
  }
  return resolve(cwd, given);
}

function readList(given: string | undefined): string[] {
  return (given ?? '')
    .split(',')
    .map((item) => item.trim())
    .filter((item) => item !== '');
}

function readDatabase(given: string | undefined, workdir: string): string {
  if (given === undefined || given === 'sqlite:') return join(workdir, 'spoon.db');
  const file = given.startsWith('sqlite:') ? given.slice('sqlite:'.length) : '';
  // A database URL of another kind can carry a password, so only its scheme is shown.
  if (!file.startsWith('/') || /[\p{Cc}?#]/u.test(file)) {
    refuse(
      'SPOON_DATABASE_URL',
      `${given.split(':')[0]}:…`,
      'sqlite: for the default file, or sqlite:/absolute/path.db',
    );
  }
  return file;
}

function readKey(get: Get): KeySettings {
  const names = {
    key: 'SPOON_ENCRYPTION_KEY',
    keyFile: 'SPOON_ENCRYPTION_KEY_FILE',
    instanceSecret: 'INSTANCE_SECRET',
    instanceSecretFile: 'INSTANCE_SECRET_FILE',
  } as const;
  const settings: Record<string, string> = {};
  for (const [field, name] of Object.entries(names)) {
    const value = get(name);
    if (value !== undefined) settings[field] = value;
  }
  for (const [value, file] of [
    [names.key, names.keyFile],
    [names.instanceSecret, names.instanceSecretFile],
  ] as const) {
    if (get(value) !== undefined && get(file) !== undefined) {
      throw new SpoonError('config-invalid', `${value} and ${file} are both set. Accepted: one of them.`);
    }
  }
  return { ...settings, oldKeys: readList(get('SPOON_ENCRYPTION_KEYS_OLD')) };
}

function readGit(get: Get, cwd: string): GitSettings {
  const hosts = readList(get('SPOON_GIT_HOSTS')).map((entry) => {
    const host = readGitHost(entry);
    return host ?? refuse('SPOON_GIT_HOSTS', entry, 'hosts such as git.internal or 10.0.0.5:3000, separated by commas');
  });
  const caFile = get('SPOON_CA_FILE');
  return {
    hosts,
    caFile: caFile === undefined ? undefined : resolve(cwd, caFile),
    timeoutMs: readMilliseconds('SPOON_GIT_TIMEOUT_MS', get('SPOON_GIT_TIMEOUT_MS'), 120_000),
    setupMs: readMilliseconds('SPOON_SETUP_TIMEOUT_MS', get('SPOON_SETUP_TIMEOUT_MS'), 600_000),
    scratchBytes: readScratchBytes(get('SPOON_SCRATCH_MIB'), refuse),
  };
}

function readEngine(given = 'auto'): Config['engine'] {
  if (given !== 'auto' && given !== 'docker' && given !== 'process') {
    return refuse('SPOON_ENGINE', given, 'auto, docker or process');
  }
  return given;
}

/** Only a socket: a remote engine would need the homes on its own machine. */
function readDockerHost(given = 'unix:///var/run/docker.sock'): string {
  if (!given.startsWith('unix:///')) refuse('DOCKER_HOST', given, 'unix:// with the absolute path of the socket');
  return given;
}

function readImage(given = 'spoon-box:latest'): string {
  // distribution/reference: [registry[:port]/]name[:tag][@digest]; never something a command line takes for an option.
  if (!/^[a-z0-9][A-Za-z0-9._/:@-]{0,254}$/.test(given)) {
    refuse('SPOON_AGENT_IMAGE', given, 'an image reference, such as registry.example/spoon-box:latest');
  }
  return given;
}

function readNetwork(dns: string | undefined, namespace: string | undefined): NetworkSettings {
  const resolvers = readList(dns);
  const wrong = wrongResolver(resolvers);
  if (wrong !== undefined) refuse('SPOON_AGENT_DNS', wrong, 'IPv4 addresses, separated by commas');
  if (namespace === undefined || isNamespacePath(namespace)) return { dns: resolvers, namespace };
  return refuse('SPOON_AGENT_NETWORK_NAMESPACE', namespace, 'the path of a namespace, such as /proc/1/ns/net');
}

/** Less than a month would be gone before anybody looks. */
function readAuditDays(given = '400'): number {
  const days = /^\d{1,5}$/.test(given) ? Number(given) : 0;
  if (days >= 30 && days <= 36_500) return days;
  return refuse('SPOON_AUDIT_RETENTION_DAYS', given, 'a whole number of days from 30 to 36500');
}

function readMilliseconds(name: string, given: string | undefined, fallback: number): number {
  if (given === undefined) return fallback;
  const value = /^\d{1,10}$/.test(given) ? Number(given) : Number.NaN;
  if (!(value >= minIdleMs && value <= maxTimerMs)) {
    refuse(name, given, `a whole number of milliseconds from ${minIdleMs} to ${maxTimerMs}`);
  }
  return value;
}
