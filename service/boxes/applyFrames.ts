import type { OverlayApply } from '../../protocol/boxd.ts';
import { frame } from '../../protocol/overlayFrames.ts';

export interface FileContent {
  readonly path: string;
  readonly bytes: Uint8Array;
}

/** As much as boxd reads at once. */
const pieceBytes = 64 * 1024;

/**
 * The body of an apply (protocol/overlayFrames.ts), as pieces that are worth a write: a thousand small files would otherwise
 * be four thousand chunks of HTTP.
 */
export async function* applyFrames(
  apply: OverlayApply,
  contents: AsyncIterable<FileContent> | Iterable<FileContent>,
): AsyncGenerator<Uint8Array> {
  let waiting = frame(Buffer.from(JSON.stringify(apply)));
  let waitingBytes = byteLength(waiting);
  for await (const { path, bytes } of contents) {
    const frames = [...frame(Buffer.from(path)), ...frame(bytes)];
    waiting.push(...frames);
    waitingBytes += byteLength(frames);
    if (waitingBytes < pieceBytes) continue;
    yield Buffer.concat(waiting, waitingBytes);
    waiting = [];
    waitingBytes = 0;
  }
  if (waitingBytes > 0) yield Buffer.concat(waiting, waitingBytes);
}

function byteLength(parts: readonly Uint8Array[]): number {
  return parts.reduce((sum, part) => sum + part.length, 0);
}
