/** One end of the chain: what the next entry covers. */
export interface Link {
  readonly seq: number;
  readonly mac: Uint8Array;
}

/** What the first entry covers. */
export const beginning: Link = { seq: 0, mac: new Uint8Array(32) };
