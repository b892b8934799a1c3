import * as vscode from 'vscode';
import { SpoonError } from '../../protocol/errors.ts';

interface UnderWay {
  readonly replaces: boolean;
  failure: unknown;
}

/**
 * Moves through VS Code, so that open editors go along, with what is not saved in them. VS Code removes what is replaced
 * before it moves, and tells nobody why a move failed; so the file system asks here what a removal is for, and says here what
 * it refused.
 */
export class EditorMoves {
  readonly #underWay = new Map<string, UnderWay>();

  /**
   * Wholly or not at all.
   * @throws SpoonError what refused it; `editor-refused` where that was not the service
   */
  async move(from: vscode.Uri, to: vscode.Uri, { overwrite }: { overwrite: boolean }): Promise<void> {
    const key = to.toString();
    const move: UnderWay = { replaces: overwrite, failure: undefined };
    this.#underWay.set(key, move);
    try {
      const edit = new vscode.WorkspaceEdit();
      edit.renameFile(from, to, { overwrite });
      if (await vscode.workspace.applyEdit(edit)) return;
    } finally {
      this.#underWay.delete(key);
    }
    const cause = move.failure;
    throw cause instanceof SpoonError ? cause : new SpoonError('editor-refused', undefined, { cause });
  }

  /** Whether it only gives way to what is moved there: the service replaces it in one step, or refuses to. */
  isReplaced(uri: vscode.Uri): boolean {
    return this.#underWay.get(uri.toString())?.replaces === true;
  }

  /** Does what VS Code asks of the file system for a move, and keeps its failure for whoever wanted the move. */
  async watch(to: vscode.Uri, work: () => Promise<void>): Promise<void> {
    try {
      await work();
    } catch (error) {
      const move = this.#underWay.get(to.toString());
      if (move !== undefined) move.failure = error;
      throw error;
    }
  }
}
