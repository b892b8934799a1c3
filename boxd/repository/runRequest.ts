import type { BoxdCredential } from '../../protocol/boxdRepository.ts';
import { type DotfileManager, isDotfileManager } from '../../protocol/dotfileManagers.ts';
import { maxRepositoryBytes } from '../../protocol/limits.ts';
import { JsonFields } from '../http/jsonFields.ts';
import type { SecretFiles } from '../processes/secretFiles.ts';

/** What `StartRepositoryRun` of protocol/boxdRepository.ts says, read by hand. */
export interface RunRequest {
  readonly url: string;
  readonly ref: string | null;
  /** The one that counts; null: whatever the ref points to. */
  readonly commit: string | null;
  readonly setup: string | null;
  readonly manager: DotfileManager | null;
  /** Fetched too. */
  readonly submodules: boolean;
  /** Files that Git LFS keeps are fetched too. */
  readonly lfs: boolean;
  /** The operator's, for submodules. */
  readonly gitHosts: readonly string[];
  /** What the box was made from. */
  readonly image: string;
  /** Also where nothing changed. */
  readonly force: boolean;
  readonly cloneMs: number;
  /** What git may fetch. */
  readonly maxBytes: number;
  readonly setupMs: number;
  /** For git alone. */
  readonly credential: BoxdCredential | null;
  /** Secrets for the setup. */
  readonly environment: Readonly<Record<string, string>>;
  /** What the log must not hold. */
  readonly masked: readonly string[];
}

/** @throws SpoonError `request-invalid` */
export function readRunRequest(fields: JsonFields, secretFiles: SecretFiles): RunRequest {
  const { environment, values } = secretFiles.read(fields);
  const optional = (name: string) => (fields.value(name) === null ? null : fields.text(name));
  const manager = fields.value('manager');
  return {
    url: fields.text('url'),
    ref: optional('ref'),
    commit: optional('commit'),
    setup: optional('setup'),
    manager: isDotfileManager(manager) ? manager : null,
    submodules: fields.value('submodules') !== undefined && fields.flag('submodules'),
    lfs: fields.value('lfs') !== undefined && fields.flag('lfs'),
    gitHosts: fields.value('gitHosts') === undefined ? [] : fields.texts('gitHosts'),
    image: fields.text('image'),
    force: fields.flag('force'),
    cloneMs: fields.count('cloneMs'),
    maxBytes: fields.value('maxBytes') === undefined ? maxRepositoryBytes : fields.count('maxBytes'),
    setupMs: fields.count('setupMs'),
    credential: readCredential(fields),
    environment,
    masked: values,
  };
}

/** @throws SpoonError `request-invalid` */
export function readCredential(fields: JsonFields): BoxdCredential | null {
  if (fields.value('credential') === undefined) return null;
  const of = new JsonFields(fields.value('credential'));
  const host = of.text('host');
  return of.text('kind') === 'token'
    ? { kind: 'token', host, username: of.text('username'), token: of.text('token') }
    : { kind: 'key', host, key: of.text('key'), hostKeys: of.texts('hostKeys') };
}
