import type { ErrorCode } from '../../protocol/errors.ts';

/** One entry as the service wants it. `sha256` is of the bytes that came along; without them it is unknown. */
export interface Wanted {
  readonly kind: 'file' | 'symlink' | 'directory';
  readonly mode: number;
  readonly size: number;
  /** Equal names, equal bytes. */
  readonly content: string;
  readonly sha256?: string;
}

/** One entry as Spoon left it in the home. */
export interface Recorded {
  readonly kind: Wanted['kind'];
  readonly content: string;
  readonly mode: number;
  readonly size: number;
  readonly mtimeNs: string;
  /** Of the file's bytes or the link's target; empty for a folder. */
  readonly sha256: string;
  /** It was there before Spoon managed it, as the overlay has it: a folder stays when Spoon no longer does, a file when dotfiles are turned off. */
  readonly found?: boolean;
  /** The backup of what was there before Spoon's first write. */
  readonly displaced?: string;
}

/** What is there now. `sha256` of a file only once somebody has read it. */
export type Observed =
  | { readonly kind: 'missing' | 'other' }
  | {
      readonly kind: 'file';
      readonly size: number;
      readonly mtimeNs: string;
      readonly mode: number;
      readonly sha256?: string;
    }
  | { readonly kind: 'symlink'; readonly sha256: string; readonly mtimeNs: string }
  | { readonly kind: 'directory'; readonly mode: number; readonly empty: boolean };

export type Decision =
  /** Nothing to write; take what is there into the manifest. */
  | { readonly act: 'keep' }
  | { readonly act: 'setMode' }
  /** The file must be read before anything can be said: ask again with its hash. */
  | { readonly act: 'read' }
  /** `backup`: keep what is in the way first. `clear`: an empty folder is in the way and goes. */
  | { readonly act: 'write'; readonly backup?: 'edit' | 'symlink'; readonly clear?: 'folder' | 'file' }
  | { readonly act: 'refuse'; readonly code: ErrorCode; readonly detail: string };

/**
 * What to do about one entry. The overlay wins, but nothing is lost: what Spoon did not write is kept as a backup first,
 * unless it holds the very bytes that are wanted (decisions 5 and 6).
 */
export function decideEntry(wanted: Wanted, recorded: Recorded | undefined, observed: Observed): Decision {
  if (observed.kind === 'other') {
    return { act: 'refuse', code: 'not-a-regular-file', detail: 'A device, pipe or socket is there.' };
  }
  if (wanted.kind === 'directory') return decideFolder(wanted, recorded, observed);
  switch (observed.kind) {
    case 'missing':
      return { act: 'write' };
    case 'directory':
      if (observed.empty) return { act: 'write', clear: 'folder' };
      return { act: 'refuse', code: 'path-kind-conflict', detail: 'A folder with something in it is there.' };
    case 'symlink':
      return decideOverLink(wanted, recorded, observed);
    case 'file':
      return decideOverFile(wanted, recorded, observed);
  }
}

function decideFolder(wanted: Wanted, recorded: Recorded | undefined, observed: Observed): Decision {
  if (observed.kind === 'missing') return { act: 'write' };
  if (observed.kind === 'directory') return observed.mode === wanted.mode ? { act: 'keep' } : { act: 'setMode' };
  if (observed.kind === 'file' && recorded?.kind === 'file' && isAsLeft(recorded, observed)) {
    return { act: 'write', clear: 'file' };
  }
  return { act: 'refuse', code: 'path-kind-conflict', detail: 'A file is there.' };
}

function decideOverLink(
  wanted: Wanted,
  recorded: Recorded | undefined,
  observed: Extract<Observed, { kind: 'symlink' }>,
): Decision {
  const asLeft = recorded?.kind === 'symlink' && recorded.sha256 === observed.sha256;
  if (wanted.kind === 'symlink') {
    const same = wanted.sha256 === undefined ? asLeft && recorded.content === wanted.content : false;
    if (same || wanted.sha256 === observed.sha256) return { act: 'keep' };
  }
  return asLeft ? { act: 'write' } : { act: 'write', backup: 'symlink' };
}

function decideOverFile(
  wanted: Wanted,
  recorded: Recorded | undefined,
  observed: Extract<Observed, { kind: 'file' }>,
): Decision {
  const known = recorded?.kind === 'file' ? recorded : undefined;
  const asLeft = known !== undefined && isAsLeft(known, observed);
  const fits = (): Decision => (observed.mode === wanted.mode ? { act: 'keep' } : { act: 'setMode' });
  if (asLeft) return wanted.kind === 'file' && known.content === wanted.content ? fits() : { act: 'write' };
  const mayBeWanted = wanted.kind === 'file' && observed.size === wanted.size;
  if (observed.sha256 === undefined) {
    return mayBeWanted || known?.size === observed.size ? { act: 'read' } : { act: 'write', backup: 'edit' };
  }
  const bytesAsLeft = observed.sha256 === known?.sha256;
  if (mayBeWanted && (observed.sha256 === wanted.sha256 || (bytesAsLeft && known?.content === wanted.content))) {
    return fits();
  }
  return bytesAsLeft ? { act: 'write' } : { act: 'write', backup: 'edit' };
}

/** Untouched since Spoon wrote it, by size and time of last change; the mode is not the content. */
function isAsLeft(recorded: Recorded, observed: Extract<Observed, { kind: 'file' }>): boolean {
  return recorded.size === observed.size && recorded.mtimeNs === observed.mtimeNs;
}

/** How an entry is no longer as Spoon left it. `read`: ask again with the file's hash. */
export type Drift = 'modified' | 'missing' | 'mode' | 'replaced';

export function decideDrift(recorded: Recorded, observed: Observed): Drift | 'read' | undefined {
  if (observed.kind === 'missing') return 'missing';
  if (observed.kind !== recorded.kind) return 'replaced';
  if (observed.kind === 'symlink') return observed.sha256 === recorded.sha256 ? undefined : 'modified';
  const drift = observed.mode === recorded.mode ? undefined : 'mode';
  if (observed.kind === 'directory' || isAsLeft(recorded, observed)) return drift;
  if (observed.size !== recorded.size) return 'modified';
  if (observed.sha256 === undefined) return 'read';
  return observed.sha256 === recorded.sha256 ? drift : 'modified';
}

/** What becomes of an entry that is no longer wanted. */
export type Removal = 'gone' | 'read' | 'remove' | 'keep';

/** The same where the home is to be as it was without Spoon. */
export function decideTakingOut(recorded: Recorded, observed: Observed): Removal {
  const wasThere = recorded.found === true && recorded.displaced === undefined;
  const removal = decideRemoval(recorded, observed);
  return wasThere && removal !== 'gone' ? 'keep' : removal;
}

export function decideRemoval(recorded: Recorded, observed: Observed): Removal {
  if (observed.kind === 'missing') return 'gone';
  if (observed.kind !== recorded.kind) return 'keep';
  switch (observed.kind) {
    case 'directory':
      return observed.empty && !recorded.found ? 'remove' : 'keep';
    case 'symlink':
      return observed.sha256 === recorded.sha256 ? 'remove' : 'keep';
    case 'file':
      if (isAsLeft(recorded, observed)) return 'remove';
      if (observed.size !== recorded.size) return 'keep';
      if (observed.sha256 === undefined) return 'read';
      return observed.sha256 === recorded.sha256 ? 'remove' : 'keep';
  }
}
