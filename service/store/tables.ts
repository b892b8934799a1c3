import type { AuditCheckpointRow, AuditRow, TokenAddressRow } from './auditTables.ts';

/**
 * Row types of all tables. Bytes are sealed unless said otherwise: a stolen database gives usernames, modes, counts, sizes
 * and times, nothing else (design section 5). Times are milliseconds since 1970. Only SQL that PostgreSQL speaks too.
 */

export interface MigrationRow {
  number: number;
  name: string;
  applied_ms: number;
}

/** One row per root key that this database knows; exactly one while no rotation is under way. */
export interface KeyringRow {
  /** First 8 hex digits of BLAKE2b(key-encryption key, "id"). */
  id: string;
  /** Key-check value, HMAC-SHA256; tells a wrong key before anything is written. */
  kcv: Uint8Array;
  kdf_salt: Uint8Array;
  created_ms: number;
}

/** Plain facts about this database, such as `instance-id`. */
export interface FactRow {
  name: string;
  value: string;
}

export interface UserRow {
  id: string;
  username: string;
  display_name_enc: Uint8Array;
  uid: number;
  shell: string;
  created_ms: number;
  disabled_ms: number | null;
  /** Keyed, of the id: says that the user is an administrator, which an edited row cannot. */
  admin_mac: Uint8Array | null;
}

/** Append-only: a uid is never given out twice, even when its user is gone. */
export interface UidRow {
  uid: number;
  user_id: string;
  allocated_ms: number;
}

/** Append-only: a name is never given to another. */
export interface FormerUserRow {
  username: string;
  removed_ms: number;
}

export interface TokenRow {
  id: string;
  /** A user's id, or `system` for admin tokens. */
  owner_id: string;
  kind: 'user' | 'admin';
  name_enc: Uint8Array;
  /** Keyed, of the secret part and the columns that say what it allows: an edited row is no token. */
  hash: Uint8Array;
  /** Space-separated. */
  scopes: string;
  created_ms: number;
  expires_ms: number;
  last_used_ms: number | null;
  revoked_ms: number | null;
}

export interface PasswordRow {
  user_id: string;
  /** Salt, cost and Argon2id hash, sealed with the user's own key: a stolen database cannot even be guessed against. */
  hash_enc: Uint8Array;
  changed_ms: number;
}

/** One that waits to be used; there is at most one of each user. */
export interface InviteRow {
  id: string;
  user_id: string;
  /** Keyed, as that of a token. */
  hash: Uint8Array;
  expires_ms: number;
}

/** An identity at a sign-in provider, and whose account it is: keyed hashes of both. */
export interface OidcIdentityRow {
  user_id: string;
  subject_mac: Uint8Array;
  link_mac: Uint8Array;
  linked_ms: number;
}

export interface DataKeyRow {
  /** 16 hex digits. */
  id: string;
  owner_id: string;
  kek_id: string;
  wrapped: Uint8Array;
  /** The key of the owner's hashes, where it is not the one that comes from this data key. */
  mac_wrapped: Uint8Array | null;
  state: 'active' | 'decrypt-only';
  created_ms: number;
}

export interface DotfileRow {
  id: string;
  user_id: string;
  path_mac: Uint8Array;
  path_enc: Uint8Array;
  kind: 'file' | 'symlink' | 'directory';
  mode: number;
  size: number;
  /** The current version; `last_version` counts on for versions that are kept without ever becoming current (drift). */
  version: number;
  last_version: number;
  /** Keyed hash of the content: names the bytes to boxd and in ETags. */
  content_mac: Uint8Array;
  created_ms: number;
  modified_ms: number;
  deleted_ms: number | null;
  /** A hand edit that was replaced in the home and that nobody has looked at, and the version it was made on top of. */
  drift_version: number | null;
  drift_base: number | null;
  secrets_silenced_ms: number | null;
}

export interface DotfileVersionRow {
  dotfile_id: string;
  version: number;
  user_id: string;
  kind: 'file' | 'symlink' | 'directory';
  mode: number;
  size: number;
  blob: Uint8Array;
  content_mac: Uint8Array;
  origin: string;
  created_ms: number;
}

/** Name, address and default branch are in `head_enc` (`threads/sealedThread.ts`). */
export interface SpoonRow {
  id: string;
  user_id: string;
  name_mac: Uint8Array;
  head_enc: Uint8Array;
  /** Of the head. */
  version: number;
  created_ms: number;
}

export interface ThreadRow {
  id: string;
  user_id: string;
  spoon_id: string;
  branch_mac: Uint8Array;
  head_enc: Uint8Array;
  created_ms: number;
  used_ms: number;
}

export interface SealKeyRow {
  user_id: string;
  /** 8 hex digits, from the public key. */
  id: string;
  /** The public one is computed from it: what clients are given cannot be swapped here. */
  private_enc: Uint8Array;
  state: 'active' | 'open-only';
  created_ms: number;
}

/** What a client sealed, sealed once more. What it is for is in neither column: `use_mac` is a keyed hash of it. */
export interface SealedValueRow {
  user_id: string;
  use_mac: Uint8Array;
  seal_key_id: string;
  updated_ms: number;
  box_enc: Uint8Array;
}

/** The row of a sealed value with the same `use_mac`. Name, spoon and scopes are in `head_enc`; `size` is the value's. */
export interface SecretRow {
  user_id: string;
  use_mac: Uint8Array;
  head_enc: Uint8Array;
  size: number;
  updated_ms: number;
}

/** Sealed, each bound to its version (`environment/repositoryRecords.ts`); `run_version` is that of run and log. */
export interface EnvironmentRow {
  user_id: string;
  version: number;
  settings_enc: Uint8Array;
  run_version: number;
  run_enc: Uint8Array | null;
  log_enc: Uint8Array | null;
}

/** Thread and prompt are in `head_enc`, how it ended and what it changed in `end_enc` (`jobs/jobRecords.ts`). */
export interface JobRow {
  id: string;
  user_id: string;
  state: 'queued' | 'running' | 'succeeded' | 'failed' | 'cancelled' | 'timed-out' | 'lost';
  created_ms: number;
  started_ms: number | null;
  ended_ms: number | null;
  output_bytes: number;
  head_enc: Uint8Array;
  end_enc: Uint8Array | null;
}

/** A piece of a log or diff, compressed, then sealed; `start_at` and `length` are of what it was before. */
export interface JobPartRow {
  job_id: string;
  kind: 'log' | 'diff';
  start_at: number;
  length: number;
  blob: Uint8Array;
}

/** Of the worker of one job; `hash` binds the whole row (`identity/workerTokens.ts`). */
export interface WorkerTokenRow {
  id: string;
  job_id: string;
  hash: Uint8Array;
  expires_ms: number;
}

/** `mac` is keyed, of everything else: an edited row shares nothing (`terminals/shares.ts`). */
export interface TerminalShareRow {
  id: string;
  owner_id: string;
  guest_id: string;
  terminal_id: string;
  may_write: 0 | 1;
  created_ms: number;
  expires_ms: number;
  mac: Uint8Array;
}

export interface BoxPinRow {
  user_id: string;
  until_ms: number;
}

/** What a user may use where that is not as for everybody; null: it is. */
export interface UserQuotaRow {
  user_id: string;
  memory_bytes: number | null;
  cpu_millis: number | null;
  processes: number | null;
  terminals: number | null;
  dotfiles: number | null;
  dotfile_bytes: number | null;
  home_bytes: number | null;
}

export interface Tables {
  migrations: MigrationRow;
  keyring: KeyringRow;
  facts: FactRow;
  audit: AuditRow;
  audit_checkpoints: AuditCheckpointRow;
  token_addresses: TokenAddressRow;
  users: UserRow;
  uids: UidRow;
  former_users: FormerUserRow;
  tokens: TokenRow;
  passwords: PasswordRow;
  invites: InviteRow;
  oidc_identities: OidcIdentityRow;
  data_keys: DataKeyRow;
  dotfiles: DotfileRow;
  dotfile_versions: DotfileVersionRow;
  spoons: SpoonRow;
  threads: ThreadRow;
  box_pins: BoxPinRow;
  user_quotas: UserQuotaRow;
  terminal_shares: TerminalShareRow;
  environments: EnvironmentRow;
  seal_keys: SealKeyRow;
  sealed_values: SealedValueRow;
  secrets: SecretRow;
  jobs: JobRow;
  job_parts: JobPartRow;
  worker_tokens: WorkerTokenRow;
}
