interface Size {
  readonly columns: number;
  readonly rows: number;
}

interface Screen {
  /** Resizes the terminal and what is known of its screen, whatever its viewers show. */
  resize(size: Size): void;
  /** A full-screen program draws. */
  readonly isFullScreen: boolean;
}

/** Sizes that follow each other more quickly are one change. */
const settleMs = 250;
/** For a program to see that a row is gone, also where the machine is busy. */
const maxLackMs = 2_000;

/**
 * Has a full-screen program draw itself anew where it would not. A window that opens goes through sizes, and takes rows off the screen
 * and adds empty ones with each; when the last size is the one that the program knows, SIGWINCH tells it nothing new (tty_ioctl(4)
 * has no other word for it), and the torn screen stays. So it is shown one row less, until it has drawn that.
 */
export class Repaint {
  readonly #screen: Screen;
  #size: Size;
  /** Before the change that is under way, and how many sizes it had so far. */
  #before: Size;
  #sizes = 0;
  #lacksRow = false;
  /** Something was drawn since it lacks the row. */
  #drew = false;
  /** What comes so soon may have been on its way before. */
  #isPatient = false;
  #timer: NodeJS.Timeout | undefined;

  constructor(size: Size, screen: Screen) {
    this.#screen = screen;
    this.#size = size;
    this.#before = size;
  }

  /** The terminal has another size. */
  onResize(size: Size): void {
    if (this.#sizes === 0) this.#before = this.#size;
    this.#size = size;
    this.#sizes++;
    this.#lacksRow = false;
    this.#after(settleMs, () => this.#settle());
  }

  onOutput(): void {
    if (!this.#lacksRow) return;
    if (this.#isPatient) this.#drew = true;
    else this.#giveBack();
  }

  close(): void {
    clearTimeout(this.#timer);
  }

  #settle(): void {
    const isTorn = this.#sizes > 1 && isSame(this.#size, this.#before);
    this.#sizes = 0;
    const { columns, rows } = this.#size;
    if (!isTorn || rows < 2 || !this.#screen.isFullScreen) return;
    this.#lacksRow = true;
    this.#isPatient = true;
    this.#drew = false;
    this.#screen.resize({ columns, rows: rows - 1 });
    this.#after(settleMs, () => {
      this.#isPatient = false;
      if (this.#drew) this.#giveBack();
      else this.#after(maxLackMs - settleMs, () => this.#giveBack());
    });
  }

  #giveBack(): void {
    clearTimeout(this.#timer);
    this.#lacksRow = false;
    this.#screen.resize(this.#size);
  }

  #after(ms: number, work: () => void): void {
    clearTimeout(this.#timer);
    this.#timer = setTimeout(work, ms);
  }
}

function isSame(a: Size, b: Size): boolean {
  return a.columns === b.columns && a.rows === b.rows;
}
