import * as vscode from 'vscode';
import { Coalesce } from './coalesce.ts';
import { formatSize } from './formatSize.ts';

/** More often than a person can read is only work for the window. */
const pauseMs = 100;

/** How far a transfer of many files is: how many, how much, and which one. */
export class TransferProgress {
  readonly #count: number;
  readonly #bytes: number;
  readonly #reports: Coalesce<string>;
  #doneCount = 0;
  #doneBytes = 0;
  #shownCount = 0;

  /** @param sizes of the files that will be {@link done} */
  constructor(progress: vscode.Progress<{ message: string; increment: number }>, sizes: readonly number[]) {
    this.#count = sizes.length;
    this.#bytes = sizes.reduce((sum, size) => sum + size, 0);
    this.#reports = new Coalesce(pauseMs, (paths) => {
      const increment = (100 * (this.#doneCount - this.#shownCount)) / this.#count;
      this.#shownCount = this.#doneCount;
      const files = vscode.l10n.t('{0} of {1} files', this.#doneCount, this.#count);
      const amount = vscode.l10n.t('{0} of {1}', formatSize(this.#doneBytes), formatSize(this.#bytes));
      progress.report({ message: `${files}, ${amount}: ${paths.at(-1) ?? ''}`, increment });
    });
  }

  done(bytes: number, path: string): void {
    this.#doneCount += 1;
    this.#doneBytes += bytes;
    this.#reports.add(path);
  }
}
