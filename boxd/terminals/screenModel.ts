import type { SerializeAddon } from '@xterm/addon-serialize';
import type { Terminal } from '@xterm/headless';
import { maxSnapshotBytes, replayRingBytes, snapshotLines } from '../../protocol/limits.ts';
import type { ByteRing } from './byteRing.ts';
import { OutputScanner } from './outputScanner.ts';
import { firstWholeLine } from './replayStart.ts';

/** A full-screen program's output that waits in the ring before the model looks at it. */
const drawFromBytes = replayRingBytes / 2;
const drawEveryMs = 100;
const keepModelMs = 60_000;
/** CAN ends a sequence that the lost bytes had begun (ECMA-48); then plain colours, and no scroll region. */
const afterGap = '\x18\x1b[0m\x1b[r';

const enterAlternate = '\x1b[?1049h';
/** Sizes within what the ring holds; of more, early ones are taken for each other. */
const maxSizes = 64;

interface Size {
  readonly columns: number;
  readonly rows: number;
}

export interface Snapshot {
  /** What it shows is the output up to here. */
  readonly offset: number;
  readonly bytes: Buffer;
}

interface Screen {
  readonly terminal: Terminal;
  readonly serializer: SerializeAddon;
  /** DECSTBM as the program set it, by screen; a resize takes it back. */
  regions: { normal: string; alternate: string };
}

/**
 * What the terminal's screen looks like, for viewers that come anew or too late for the bytes. Made from the ring when it
 * is asked for, and forgotten a minute later: what scrolls by needs no memory of its own. Only while a full-screen program draws,
 * which does not say again what it once drew, it follows along, a moment behind and never through a flood, because
 * parsing is half as fast as the kernel's terminal (docs/decisions/0070).
 */
export class ScreenModel {
  readonly #ring: ByteRing;
  readonly #scanner: OutputScanner;
  #screen: Screen | undefined;
  /** Offset up to which the screen has been drawn. */
  #drawnOffset = 0;
  #seenOffset = 0;
  /** Never empty: the last one of before the ring's start, then those within it. */
  #sizes: (Size & { offset: number })[];
  #timer: NodeJS.Timeout | undefined;
  #forgetting: NodeJS.Timeout | undefined;
  #drawing: Promise<void> = Promise.resolve();

  /** @param scanner follows the same output, always to its end */
  constructor({ ring, scanner, size }: { ring: ByteRing; scanner: OutputScanner; size: Size }) {
    this.#ring = ring;
    this.#scanner = scanner;
    this.#sizes = [{ ...size, offset: 0 }];
  }

  /** The ring has grown. */
  onOutput(): void {
    if (!this.#scanner.alternateScreen || this.#timer !== undefined) return;
    if (this.#ring.end - this.#drawnOffset < drawFromBytes) return;
    this.#seenOffset = this.#ring.end;
    this.#timer = setTimeout(() => this.#drawUnlessFlooded(), drawEveryMs);
  }

  /** From the output that follows on. */
  resize(size: Size): void {
    const isOver = (at: number): boolean => (this.#sizes[at]?.offset ?? Number.POSITIVE_INFINITY) <= this.#ring.start;
    while (isOver(1)) this.#sizes.shift();
    this.#sizes.push({ ...size, offset: this.#ring.end });
    if (this.#sizes.length > maxSizes) this.#sizes.splice(1, 1);
  }

  /** Waits until the model has caught up: the caller holds the shell. */
  async take(): Promise<Snapshot> {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    clearTimeout(this.#forgetting);
    for (;;) {
      const screen = await this.#draw();
      if (this.#drawnOffset !== this.#ring.end) continue;
      const snapshot = { offset: this.#drawnOffset, bytes: this.#picture(screen) };
      this.#forgetLater();
      return snapshot;
    }
  }

  close(): void {
    clearTimeout(this.#timer);
    clearTimeout(this.#forgetting);
    this.#forget();
  }

  /** Who reloads a window often does so again at once. */
  #forgetLater(): void {
    clearTimeout(this.#forgetting);
    this.#forgetting = setTimeout(() => {
      void this.#inTurn(async () => {
        if (!this.#scanner.alternateScreen) this.#forget();
      });
    }, keepModelMs).unref();
  }

  #forget(): void {
    this.#screen?.terminal.dispose();
    this.#screen = undefined;
    this.#drawnOffset = 0;
  }

  #drawUnlessFlooded(): void {
    this.#timer = undefined;
    if (this.#ring.end - this.#seenOffset >= replayRingBytes - drawFromBytes) this.onOutput();
    // Where it cannot be drawn, whoever asks for a snapshot is told.
    else this.#draw().catch(() => undefined);
  }

  #draw(): Promise<Screen> {
    return this.#inTurn(() => this.#drawUpTo(this.#ring.end));
  }

  /** One after another: two must not both write the same bytes, nor one throw away what another draws on. */
  #inTurn<T>(work: () => Promise<T>): Promise<T> {
    const done = this.#drawing.then(work);
    this.#drawing = done.then(
      () => undefined,
      () => undefined,
    );
    return done;
  }

  async #drawUpTo(target: number): Promise<Screen> {
    let screen = this.#screen;
    while (screen === undefined || this.#drawnOffset < target) {
      if (this.#drawnOffset < this.#ring.start) screen = await this.#skipGap(screen);
      screen ??= await newScreen(this.#sizeAt(this.#drawnOffset));
      this.#screen = screen;
      takeSize(screen, this.#sizeAt(this.#drawnOffset));
      const next = this.#sizes.find(({ offset }) => offset > this.#drawnOffset)?.offset ?? target;
      const bytes = this.#ring.copy(this.#drawnOffset, Math.min(target, next));
      this.#drawnOffset += bytes.length;
      await write(screen.terminal, bytes);
    }
    takeSize(screen, this.#sizeAt(this.#drawnOffset));
    return screen;
  }

  #sizeAt(at: number): Size {
    const size = this.#sizes.findLast(({ offset }) => offset <= at) ?? this.#sizes[0];
    if (size === undefined) throw new Error('a terminal without a size');
    return size;
  }

  /**
   * What a full-screen program had drawn stays; of what scrolled by begins anew what is left. Which of the two follows
   * from the first switch in what is left, or from how it ended.
   */
  async #skipGap(screen: Screen | undefined): Promise<Screen> {
    this.#drawnOffset = firstWholeLine(this.#ring);
    const rest = new OutputScanner();
    rest.scan(this.#ring.copy(this.#drawnOffset, this.#ring.end));
    const isAlternate = rest.firstSwitch === undefined ? this.#scanner.alternateScreen : !rest.firstSwitch;
    if (screen !== undefined && isAlternate && screen.terminal.buffer.active.type === 'alternate') {
      await write(screen.terminal, afterGap);
      return screen;
    }
    screen?.terminal.dispose();
    const fresh = await newScreen(this.#sizeAt(this.#drawnOffset));
    if (isAlternate) await write(fresh.terminal, enterAlternate);
    return fresh;
  }

  #picture({ terminal, serializer, regions }: Screen): Buffer {
    const { active } = terminal.buffer;
    const title = this.#scanner.title === '' ? '' : `\x1b]0;${this.#scanner.title}\x07`;
    const region = regions[active.type];
    // Setting a region takes the cursor home (DECSTBM).
    const margins = region === '' ? '' : `\x1b[${region}r\x1b[${active.cursorY + 1};${active.cursorX + 1}H`;
    for (let scrollback = snapshotLines; ; scrollback >>= 1) {
      const lines = serializer.serialize({ scrollback, excludeModes: true });
      // The addon draws the alternate screen as if the normal one had ended in plain colours.
      const drawn = lines.replace(enterAlternate, `\x1b[0m${enterAlternate}`);
      const bytes = Buffer.from(title + drawn + margins + this.#scanner.modeSequences);
      if (bytes.length <= maxSnapshotBytes || scrollback === 0) return bytes;
    }
  }
}

/** Late: a box whose terminals nobody comes back to does without these libraries' memory. */
async function newScreen({ columns, rows }: Size): Promise<Screen> {
  const [headless, addon] = await Promise.all([import('@xterm/headless'), import('@xterm/addon-serialize')]);
  const terminal = new headless.default.Terminal({
    cols: columns,
    rows,
    scrollback: snapshotLines,
    allowProposedApi: true,
    logLevel: 'off',
  });
  const serializer = new addon.default.SerializeAddon();
  terminal.loadAddon(serializer);
  const screen: Screen = { terminal, serializer, regions: { normal: '', alternate: '' } };
  terminal.parser.registerCsiHandler({ final: 'r' }, (parameters) => {
    screen.regions[terminal.buffer.active.type] = parameters
      .flat()
      .slice(0, 2)
      .join(';')
      .replace(/^0?;?0?$/, '');
    return false;
  });
  return screen;
}

function takeSize(screen: Screen, { columns, rows }: Size): void {
  const { terminal } = screen;
  if (terminal.cols === columns && terminal.rows === rows) return;
  terminal.resize(columns, rows);
  screen.regions = { normal: '', alternate: '' };
}

function write(terminal: Terminal, data: Uint8Array | string): Promise<void> {
  return new Promise((resolve) => terminal.write(data, resolve));
}
