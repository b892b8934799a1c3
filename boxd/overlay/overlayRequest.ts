import type { OverlayEntry } from '../../protocol/boxd.ts';
import { JsonFields } from '../http/jsonFields.ts';

/** What `OverlayApply` of protocol/boxd.ts says, read by hand. Paths are checked later, one by one. */
export interface ApplyRequest {
  readonly scope: 'whole' | 'change';
  readonly digest: string;
  readonly base: string | undefined;
  readonly entries: readonly OverlayEntry[];
  readonly removed: readonly string[];
  readonly restore: boolean;
}

/** @throws SpoonError `request-invalid` */
export function readApplyRequest(value: unknown): ApplyRequest {
  const fields = new JsonFields(value);
  const base = fields.value('base');
  return {
    scope: fields.value('scope') === 'change' ? 'change' : 'whole',
    digest: fields.text('digest'),
    base: typeof base === 'string' ? base : undefined,
    entries: readEntries(fields),
    removed: fields.texts('removed'),
    restore: fields.value('restore') === true,
  };
}

/** @throws SpoonError `request-invalid` */
export function readEntries(fields: JsonFields): OverlayEntry[] {
  return fields.list('entries').map((value) => {
    const entry = new JsonFields(value);
    const kind = entry.text('kind');
    return {
      path: entry.text('path'),
      kind: kind === 'symlink' || kind === 'directory' ? kind : 'file',
      mode: entry.count('mode') & 0o777,
      size: entry.count('size'),
      content: entry.text('content'),
    };
  });
}
