import type { OverlayEntry } from '../../protocol/boxd.ts';

/** What a box has, as far as this service knows: path to the name of what stands there. */
export type OverlaySnapshot = ReadonlyMap<string, string>;

/** Equal names, equal file: kind, mode and the keyed name of the bytes. */
function nameOf(entry: OverlayEntry): string {
  return `${entry.kind} ${entry.mode} ${entry.content}`;
}

export function snapshotOf(entries: readonly OverlayEntry[]): OverlaySnapshot {
  return new Map(entries.map((entry) => [entry.path, nameOf(entry)]));
}

/** What has to be sent so that a box with `known` gets to `wanted`. */
export function diffOverlay(
  known: OverlaySnapshot,
  wanted: readonly OverlayEntry[],
): { entries: OverlayEntry[]; removed: string[] } {
  const wantedPaths = new Set(wanted.map((entry) => entry.path));
  return {
    entries: wanted.filter((entry) => known.get(entry.path) !== nameOf(entry)),
    removed: [...known.keys()].filter((path) => !wantedPaths.has(path)),
  };
}
