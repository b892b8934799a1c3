/**
 * What a save is based on, and whether somebody else's change would be lost by it. VS Code compares before it saves, but
 * sees a change only when the size differs (`validateWriteFile`; microsoft/vscode issue 119002), so equal sizes are ours.
 */

export interface SeenVersion {
  readonly etag: string;
  readonly size: number;
}

export type SavePlan =
  /** Nothing is there: the save must be the first. */
  | { readonly kind: 'create' }
  | { readonly kind: 'replace'; readonly etag: string }
  /** Changed elsewhere to the same size, which VS Code cannot see: look at the contents, then perhaps ask. */
  | { readonly kind: 'compare'; readonly etag: string };

/**
 * @param read what this window last read or wrote
 * @param checked what VS Code has just been told, and so has compared with what it holds
 */
export function planSave(read: SeenVersion | undefined, checked: SeenVersion | undefined): SavePlan {
  if (checked === undefined) return { kind: 'create' };
  // Based on what VS Code has checked and not on what was read: after "Overwrite" it writes again with nothing to tell the
  // two apart, and a save based on the old version would be refused for ever.
  if (read === undefined || read.etag === checked.etag || read.size !== checked.size) {
    return { kind: 'replace', etag: checked.etag };
  }
  return { kind: 'compare', etag: checked.etag };
}

export function equalBytes(one: Uint8Array, other: Uint8Array): boolean {
  return one.length === other.length && one.every((byte, index) => byte === other[index]);
}
