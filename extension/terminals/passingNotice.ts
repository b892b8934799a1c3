import { passingLine } from './terminalText.ts';
import type { VtState } from './vtState.ts';

/** A line of our own in a terminal that is taken back before anything else is written. */
export class PassingNotice {
  readonly #write: (text: string) => void;
  readonly #vt: () => Pick<VtState, 'isOnAlternateScreen' | 'isGround'>;
  #clear: string | undefined;

  constructor(write: (text: string) => void, vt: () => Pick<VtState, 'isOnAlternateScreen' | 'isGround'>) {
    this.#write = write;
    this.#vt = vt;
  }

  show(text: string, columns: number): void {
    this.clear();
    const { isOnAlternateScreen, isGround } = this.#vt();
    // A full-screen program would keep the line in its picture; there the bell and the status bar have to do.
    if (isOnAlternateScreen || !isGround) return;
    const line = passingLine(text, columns);
    this.#clear = line.clear;
    this.#write(line.show);
  }

  clear(): void {
    if (this.#clear !== undefined) this.#write(this.#clear);
    this.#clear = undefined;
  }
}
