/** Which folders VS Code wants to hear of, counted, and what follows from that. No VS Code in here. */

export interface WatchedFolder {
  readonly path: string;
  readonly recursive: boolean;
}

export class WatchedPaths {
  readonly #counts = new Map<string, { folder: WatchedFolder; count: number }>();

  /** Returns how to take it back; a second call of that does nothing. */
  add(folder: WatchedFolder): () => void {
    const key = `${folder.recursive} ${folder.path}`;
    const known = this.#counts.get(key) ?? { folder, count: 0 };
    known.count++;
    this.#counts.set(key, known);
    let isTaken = false;
    return () => {
      if (isTaken) return;
      isTaken = true;
      known.count--;
      if (known.count === 0) this.#counts.delete(key);
    };
  }

  /** Each once, and none that lies in another one that is watched with all below it. */
  folders(): WatchedFolder[] {
    const all = [...this.#counts.values()].map(({ folder }) => folder);
    return all.filter(
      (folder) =>
        !all.some(
          (other) =>
            other.recursive && holds(other.path, folder.path) && (other.path !== folder.path || !folder.recursive),
        ),
    );
  }

  /** Whether a change there is told to VS Code. */
  covers(path: string): boolean {
    const parent = path.slice(0, Math.max(0, path.lastIndexOf('/')));
    return this.folders().some(
      (folder) => folder.path === path || folder.path === parent || (folder.recursive && holds(folder.path, path)),
    );
  }
}

function holds(folder: string, path: string): boolean {
  return folder === '' || path === folder || path.startsWith(`${folder}/`);
}
