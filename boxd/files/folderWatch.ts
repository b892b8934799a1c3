import type { Duplex } from 'node:stream';
import type { WebSocket } from 'ws';
import { SpoonError } from '../../protocol/errors.ts';
import { checkFilePath } from '../../protocol/filePath.ts';
import type { FileChange, WatchMessage } from '../../protocol/homeFiles.ts';
import { maxChangesPerMessage, maxControlBytes } from '../../protocol/limits.ts';
import { closeCode, parseControl } from '../../protocol/terminalFrames.ts';
import { JsonFields } from '../http/jsonFields.ts';
import { watchLiveness } from '../terminals/viewerLiveness.ts';
import { HomePlaces, kindOf, versionOf } from './homePlaces.ts';
import { TreeWatch } from './treeWatch.ts';

/** A build touches a file many times; an editor needs to hear of it once. */
const coalesceMs = 75;
/** A window that does not read hears later that much has changed, and not each change. */
const maxBacklogBytes = 1024 * 1024;
const maxWatchedPaths = 256;
const messageHeadBytes = 64;

interface WatchedFolder {
  readonly path: string;
  readonly recursive: boolean;
}

/** Tells one window of changes in the folders that it named last (`protocol/homeFiles.ts`), for as long as it is there. */
export function watchFolders(home: string, webSocket: WebSocket, socket: Duplex): void {
  const watches = new Map<string, TreeWatch>();
  const changed = new Map<string, { isNew: boolean }>();
  let timer: NodeJS.Timeout | undefined;
  let hasAsked = false;
  let requests = Promise.resolve();

  const send = (message: WatchMessage): void => {
    if (webSocket.readyState === webSocket.OPEN) webSocket.send(JSON.stringify(message));
  };
  const flush = (): void => {
    timer = undefined;
    if (socket.writableLength > maxBacklogBytes) {
      timer = setTimeout(flush, coalesceMs);
      return;
    }
    const paths = [...changed];
    changed.clear();
    if (paths.length > maxChangesPerMessage) send({ type: 'manyChanges' });
    else for (const changes of messagesOf(describeChanges(home, paths))) send({ type: 'changes', changes });
  };
  const onChange = (path: string, isNew: boolean): void => {
    // One more than is ever listed is enough to know that it is too many.
    if (changed.size <= maxChangesPerMessage || changed.has(path)) {
      changed.set(path, { isNew: isNew || changed.get(path)?.isNew === true });
    }
    timer ??= setTimeout(flush, coalesceMs);
  };

  const follow = async (folders: readonly WatchedFolder[]): Promise<void> => {
    const wanted = new Map(folders.map((folder) => [`${folder.recursive ? 'all' : 'one'} ${folder.path}`, folder]));
    for (const [key, watch] of watches) {
      if (wanted.has(key)) continue;
      watch.close();
      watches.delete(key);
    }
    for (const [key, folder] of wanted) {
      if (watches.has(key) || webSocket.readyState !== webSocket.OPEN) continue;
      const others = () => [...watches.values()].reduce((sum, watch) => sum + watch.folderCount, 0);
      const watch = new TreeWatch({ home, ...folder, onChange, othersCount: others });
      watches.set(key, watch);
      await watch.start();
    }
    const all = [...watches.values()];
    const watched = all.reduce((sum, watch) => sum + watch.folderCount, 0);
    send({ type: 'watching', folders: watched, incomplete: all.some(({ isIncomplete }) => isIncomplete) });
  };

  const stopWatching = watchLiveness(webSocket, socket, () => hasAsked);
  webSocket.on('message', (data: Buffer, isBinary: boolean) => {
    try {
      if (isBinary) throw new SpoonError('request-invalid');
      const folders = readFolders(data.toString('utf8'));
      hasAsked = true;
      requests = requests
        .then(() => follow(folders))
        .catch((error) => {
          webSocket.close(closeCode.badMessage, 'The folders cannot be watched.');
          if (!(error instanceof SpoonError)) throw error;
        });
    } catch (error) {
      if (!(error instanceof SpoonError)) throw error;
      webSocket.close(closeCode.badMessage, error.title.slice(0, 100));
    }
  });
  webSocket.on('error', () => webSocket.terminate());
  webSocket.once('close', () => {
    clearTimeout(timer);
    stopWatching();
    for (const watch of watches.values()) watch.close();
  });
}

/** @throws SpoonError */
function readFolders(text: string): WatchedFolder[] {
  const message = parseControl(text);
  if (message.type !== 'watch') throw new SpoonError('request-invalid');
  const folders = new JsonFields(message).list('folders');
  if (folders.length > maxWatchedPaths) throw new SpoonError('request-invalid');
  return folders.map((folder) => {
    const fields = new JsonFields(folder);
    return { path: checkFilePath(fields.text('path')), recursive: fields.flag('recursive') };
  });
}

/** As many as a control message holds. */
function messagesOf(changes: readonly FileChange[]): FileChange[][] {
  const messages: FileChange[][] = [];
  let room = 0;
  for (const change of changes) {
    const size = JSON.stringify(change).length + 1;
    if (room < size) {
      messages.push([]);
      room = maxControlBytes - messageHeadBytes;
    }
    messages.at(-1)?.push(change);
    room -= size;
  }
  return messages;
}

/** What became of each by now: it may have changed again since it was noticed. */
function describeChanges(home: string, paths: readonly (readonly [string, { isNew: boolean }])[]): FileChange[] {
  const places = new HomePlaces(home);
  try {
    return paths.map(([path, { isNew }]) => {
      try {
        const place = places.target(path);
        if (place.stat === undefined) return { path, kind: 'deleted' };
        const kind = isNew ? 'created' : 'changed';
        return kindOf(place) === 'file' ? { path, kind, version: versionOf(place.stat) } : { path, kind };
      } catch (error) {
        // Its folder is gone, or cannot be entered any more.
        if (!(error instanceof SpoonError)) throw error;
        return { path, kind: 'deleted' };
      }
    });
  } finally {
    places.close();
  }
}
