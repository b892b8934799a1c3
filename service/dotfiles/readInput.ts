import { Check } from 'typebox/value';
import { DotfileKind, VersionOrigin } from '../../protocol/dotfiles.ts';
import { SpoonError } from '../../protocol/errors.ts';
import { parseHomePath } from '../../protocol/homePath.ts';
import type { DotfileName } from './restore.ts';

/** What requests about dotfiles say as text, in the words of the store. @throws SpoonError `request-invalid`, `path-…` */
export function nameOf({ path, id }: { path?: string; id?: string }): DotfileName {
  if (path !== undefined && id === undefined) return { path: parseHomePath(path) };
  if (id !== undefined && path === undefined) return { id };
  throw new SpoonError('request-invalid', 'Give the path of a dotfile, or the id of a removed one.');
}

export function kindOf(text = 'file'): DotfileKind {
  if (!Check(DotfileKind, text)) throw new SpoonError('request-invalid', 'kind is file, symlink or directory.');
  return text;
}

/** `drift` is what the service finds, not what somebody claims. */
export function originOf(text = 'api'): VersionOrigin {
  if (!Check(VersionOrigin, text) || text === 'drift') {
    throw new SpoonError('request-invalid', 'origin is editor, spoonctl, import, restore or api.');
  }
  return text;
}
