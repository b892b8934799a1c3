/** What the audit and its surroundings keep. */

/** Each covers the one before (`audit/audit.ts`). What happened is in `entry_enc`, sealed with the system's key. */
export interface AuditRow {
  seq: number;
  time_ms: number;
  entry_enc: Uint8Array;
  mac: Uint8Array;
}

/** All entries up to this one may be gone (`audit/checkpoints.ts`). */
export interface AuditCheckpointRow {
  seq: number;
  /** Of that entry: what the next one covers. */
  mac: Uint8Array;
  time_ms: number;
  /** Of the entry that says so. */
  event_seq: number;
  /** Keyed, over all of it. */
  row_mac: Uint8Array;
}

/** From where a token has been used, as a keyed hash of both. */
export interface TokenAddressRow {
  token_id: string;
  address_mac: Uint8Array;
  first_ms: number;
}
