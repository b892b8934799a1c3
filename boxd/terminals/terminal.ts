import { readlinkSync } from 'node:fs';
import type { Duplex } from 'node:stream';
import type { WebSocket } from 'ws';
import type { TerminalState } from '../../protocol/boxd.ts';
import { maxFrameBytes, maxViewerLagBytes, replayRingBytes } from '../../protocol/limits.ts';
import { closeCode, parseControl, type TerminalMessage } from '../../protocol/terminalFrames.ts';
import { clampSize } from '../../protocol/terminalSize.ts';
import { hasForegroundChild } from '../processes/processTable.ts';
import { ByteRing } from './byteRing.ts';
import { lastLine } from './lastLine.ts';
import { OutputScanner } from './outputScanner.ts';
import { PseudoTerminal, type PseudoTerminalOptions } from './pseudoTerminal.ts';
import { Repaint } from './repaint.ts';
import { ScreenModel } from './screenModel.ts';
import { TerminalViewer } from './terminalViewer.ts';
import { watchLiveness } from './viewerLiveness.ts';

const resumeBytes = maxViewerLagBytes / 2;
/** How long one viewer may hold the shell while another one has seen everything. Then it is passed over. */
const maxHoldMs = 5_000;
/** Below this a chunk is somebody typing, and goes out in the same turn of the event loop. */
const floodChunkBytes = 2048;

/**
 * One shell and any number of viewers. Output goes into a ring; each viewer is sent from it as far as its credit goes.
 * The shell is paused while the slowest viewer is behind, runs on into the ring while nobody watches, and is never held
 * longer than 5 s at once by a frozen viewer while another one keeps up.
 */
export class Terminal {
  readonly id: string;
  readonly createdMs = Date.now();
  readonly #startedMs = performance.now();
  readonly #ring = new ByteRing(replayRingBytes);
  readonly #scanner = new OutputScanner();
  readonly #screen: ScreenModel;
  readonly #repaint: Repaint;
  readonly #viewers = new Set<TerminalViewer>();
  #size: { columns: number; rows: number };
  #wantedSize: { columns: number; rows: number } | undefined;
  #pty: PseudoTerminal | undefined;
  #cwd: string;
  #freshBytes = 0;
  #newestBytes = 0;
  #flushing = false;
  #paused = false;
  /** Being drawn; the shell waits for it, so that it gets done. */
  #snapshot: Promise<void> | undefined;
  #hold: NodeJS.Timeout | undefined;
  #exit: TerminalMessage | undefined;

  private constructor(id: string, options: PseudoTerminalOptions) {
    this.id = id;
    this.#cwd = options.cwd;
    this.#size = { columns: options.columns, rows: options.rows };
    this.#screen = new ScreenModel({ ring: this.#ring, scanner: this.#scanner, size: this.#size });
    const scanner = this.#scanner;
    this.#repaint = new Repaint(this.#size, {
      resize: (size) => this.#give(size),
      get isFullScreen() {
        return scanner.alternateScreen;
      },
    });
  }

  /** @param onExit once, when the shell has ended and its output is complete */
  static async start(id: string, options: PseudoTerminalOptions, onExit: () => void): Promise<Terminal> {
    const terminal = new Terminal(id, options);
    terminal.#pty = await PseudoTerminal.start(options, {
      onData: (chunk) => terminal.#onData(chunk),
      onExit: ({ code, signal }) => {
        terminal.#exit = { type: 'exit', code, signal, ranMs: Math.round(performance.now() - terminal.#startedMs) };
        terminal.#flush();
        onExit();
      },
    });
    return terminal;
  }

  /** Process id of the shell, which is also its session and its process group. */
  get pid(): number {
    if (this.#pty === undefined) throw new Error('the terminal has not started');
    return this.#pty.pid;
  }

  get ended(): boolean {
    return this.#exit !== undefined;
  }

  describe(): TerminalState {
    const busy = !this.ended && hasForegroundChild(this.pid);
    return {
      id: this.id,
      title: this.#scanner.title,
      // A shell within it, such as another user's or another kind, is known by what it reports alone.
      cwd: (busy ? this.#scanner.folder : undefined) ?? this.#currentFolder(),
      createdMs: this.createdMs,
      viewers: [...this.#viewers].filter((viewer) => viewer.attached).length,
      ...this.#size,
      busy,
      lastLine: this.#scanner.alternateScreen ? '' : lastLine(this.#ring),
    };
  }

  /** Takes over a WebSocket; its first message must be `attach`. */
  view(webSocket: WebSocket, socket: Duplex): void {
    const viewer = new TerminalViewer({ webSocket, socket, ring: this.#ring, onDrain: () => this.#flush() });
    this.#viewers.add(viewer);
    const stopWatching = watchLiveness(webSocket, socket, () => viewer.attached);
    webSocket.on('message', (data: Buffer, isBinary) => {
      if (!this.#viewers.has(viewer)) return;
      if (isBinary) this.#onInput(viewer, data);
      else this.#onControl(viewer, data.toString('utf8'));
    });
    // ws closes with the right code by itself (1007, 1009, …) and then says 'close'.
    webSocket.on('error', () => {});
    webSocket.on('close', () => {
      stopWatching();
      this.#drop(viewer);
    });
  }

  /** Closes what still watches; for a terminal that is being forgotten. */
  close(): void {
    clearTimeout(this.#hold);
    this.#repaint.close();
    this.#screen.close();
    for (const { webSocket } of this.#viewers) webSocket.close(closeCode.ended);
  }

  #onInput(viewer: TerminalViewer, bytes: Buffer): void {
    if (!viewer.attached) {
      this.#refuse(viewer, 'The first message must be attach.');
      return;
    }
    if (this.ended) return;
    if (viewer.size !== undefined && !isSame(viewer.size, this.#wantedSize ?? this.#size))
      this.#resize({ ...viewer.size });
    // Before the input, as the viewer meant it: a program may ask for the size at once.
    this.#takeSize();
    if (this.#pty?.write(bytes) === false) {
      this.#refuse(viewer, 'The programs in the terminal do not take this much input.');
    }
  }

  #onControl(viewer: TerminalViewer, text: string): void {
    let message: ReturnType<typeof parseControl>;
    try {
      message = parseControl(text);
    } catch {
      this.#refuse(viewer, 'Not a control message.');
      return;
    }
    if (message.type === 'attach' && !viewer.attached) {
      viewer.attach(message, message.watch === true ? this.#size : this.#resize(message));
      this.#flush();
    } else if (message.type === 'resize' && viewer.attached) {
      viewer.size = this.#resize(message);
    } else if (message.type === 'ack' && viewer.attached) {
      viewer.acknowledge(message.offset);
      this.#flush();
    } else {
      this.#refuse(viewer, 'An unknown control message, or one out of turn.');
    }
  }

  #refuse(viewer: TerminalViewer, reason: string): void {
    viewer.webSocket.close(closeCode.badMessage, reason);
    this.#drop(viewer);
  }

  /** Nothing more comes from it or goes to it, and the shell does not wait for it. */
  #drop(viewer: TerminalViewer): void {
    this.#viewers.delete(viewer);
    this.#steer();
  }

  /** The size of the viewer that was last active wins; many wishes at once become one. */
  #resize(asked: Readonly<Record<string, unknown>>): { columns: number; rows: number } {
    const scheduled = this.#wantedSize !== undefined;
    const wanted = clampSize(asked);
    this.#wantedSize = wanted;
    if (!scheduled) setImmediate(() => this.#takeSize());
    return wanted;
  }

  #takeSize(): void {
    const size = this.#wantedSize;
    this.#wantedSize = undefined;
    if (size === undefined || this.ended || isSame(size, this.#size)) return;
    this.#size = size;
    this.#give(size);
    this.#repaint.onResize(size);
  }

  #give(size: { columns: number; rows: number }): void {
    this.#screen.resize(size);
    this.#pty?.resize(size.columns, size.rows);
  }

  #onData(chunk: Buffer): void {
    this.#ring.write(chunk);
    this.#scanner.scan(chunk);
    this.#screen.onOutput();
    this.#repaint.onOutput();
    if (this.#viewers.size === 0) return;
    this.#freshBytes += chunk.length;
    this.#newestBytes = chunk.length;
    // Before one more such chunk would leave a few bytes for a frame of their own.
    if (this.#freshBytes + chunk.length > maxFrameBytes) {
      this.#flush();
      return;
    }
    if (this.#flushing) return;
    this.#flushing = true;
    setImmediate(() => this.#flushOrGather(0));
  }

  /**
   * The kernel hands out 4 KiB at a time. While they come in turn after turn of the event loop they are gathered up to
   * one frame; the first turn without new ones sends. No timer: an idle loop goes round in microseconds.
   */
  #flushOrGather(seenBytes: number): void {
    if (this.#freshBytes > seenBytes && this.#newestBytes >= floodChunkBytes && this.#exit === undefined) {
      const seen = this.#freshBytes;
      setImmediate(() => this.#flushOrGather(seen));
      return;
    }
    this.#flushing = false;
    this.#flush();
  }

  #flush(): void {
    this.#freshBytes = 0;
    for (const viewer of this.#viewers) {
      viewer.send(this.#size);
      if (this.#exit !== undefined) viewer.finish(this.#exit);
    }
    if ([...this.#viewers].some((viewer) => viewer.wantsSnapshot)) this.#snapshot ??= this.#sendSnapshot();
    this.#steer();
  }

  /** Drawn once for all who wait for it, in the size that the last of them brought. */
  async #sendSnapshot(): Promise<void> {
    this.#takeSize();
    try {
      const snapshot = await this.#screen.take();
      for (const viewer of this.#viewers) if (viewer.wantsSnapshot) viewer.show(snapshot, this.#size);
    } catch {
      // It comes back and asks again; what else watches, and the shell, go on.
      for (const viewer of this.#viewers) if (viewer.wantsSnapshot) viewer.webSocket.close(closeCode.internalError);
    }
    this.#snapshot = undefined;
    this.#flush();
  }

  /** Pauses or resumes the shell by its slowest viewer. */
  #steer(): void {
    let slowest = 0;
    for (const viewer of this.#viewers) slowest = Math.max(slowest, viewer.lagBytes);
    if ((slowest >= maxViewerLagBytes || this.#snapshot !== undefined) && !this.#paused) {
      this.#paused = true;
      this.#pty?.pause();
    } else if (slowest <= resumeBytes && this.#snapshot === undefined && this.#paused) {
      this.#paused = false;
      clearTimeout(this.#hold);
      this.#hold = undefined;
      this.#pty?.resume();
    }
    if (this.#paused && this.#hold === undefined && this.#someoneKeepsUp()) {
      this.#hold = setTimeout(() => this.#passOverTheSlow(), maxHoldMs);
    }
  }

  #someoneKeepsUp(): boolean {
    return [...this.#viewers].some((viewer) => viewer.holdsShell && viewer.lagBytes <= resumeBytes);
  }

  #passOverTheSlow(): void {
    this.#hold = undefined;
    if (!this.#someoneKeepsUp()) return;
    for (const viewer of this.#viewers) if (viewer.lagBytes > resumeBytes) viewer.passOver();
    this.#steer();
  }

  #currentFolder(): string {
    if (!this.ended) {
      try {
        this.#cwd = readlinkSync(`/proc/${this.pid}/cwd`).slice(0, 4096);
      } catch {
        // The shell is just ending: its last folder stands.
      }
    }
    return this.#cwd;
  }
}

function isSame(a: { columns: number; rows: number }, b: { columns: number; rows: number }): boolean {
  return a.columns === b.columns && a.rows === b.rows;
}
