import type { Duplex } from 'node:stream';
import type { WebSocket } from 'ws';
import { maxCreditBytes, maxFrameBytes } from '../../protocol/limits.ts';
import { type CommandMessage, closeCode, commandChannel, parseControl } from '../../protocol/terminalFrames.ts';
import { endProcesses } from '../processes/endProcesses.ts';
import { SendGate } from '../terminals/sendGate.ts';
import { watchLiveness } from '../terminals/viewerLiveness.ts';
import { closePipes } from './realPipes.ts';
import { type CommandSpec, RunningCommand } from './runningCommand.ts';

const signals = new Set(['SIGINT', 'SIGTERM', 'SIGHUP', 'SIGQUIT', 'SIGKILL']);
/** One byte of a frame names the channel. */
const maxPayloadBytes = maxFrameBytes - 1;

/**
 * A command and its one viewer: starts at `start`, ends with the viewer. Both outputs share one credit window, counted in
 * payload bytes.
 */
export class Command {
  readonly #spec: CommandSpec;
  readonly #marker: string;
  readonly #onDone: () => void;
  #running: RunningCommand | undefined;
  #gate: SendGate | undefined;
  #webSocket: WebSocket | undefined;
  #socket: Duplex | undefined;
  #paused = false;
  #ended = false;

  /** @param marker `NAME=value` that is in the environment of the command @param onDone ended or given up */
  constructor(spec: CommandSpec, marker: string, onDone: () => void) {
    this.#spec = spec;
    this.#marker = marker;
    this.#onDone = onDone;
  }

  get running(): boolean {
    return this.#running !== undefined && !this.#ended;
  }

  view(webSocket: WebSocket, socket: Duplex): void {
    this.#webSocket = webSocket;
    this.#socket = socket;
    const stopWatching = watchLiveness(webSocket, socket, () => this.#running !== undefined);
    socket.on('drain', () => this.#steer());
    webSocket.on('message', (data: Buffer, isBinary) => {
      if (isBinary) this.#onInput(data);
      else this.#onControl(data.toString('utf8'));
    });
    webSocket.on('error', () => {});
    webSocket.on('close', () => {
      stopWatching();
      this.#onViewerGone();
    });
  }

  /** Ends what runs. Resolves when nothing of it is left. */
  async end(): Promise<void> {
    if (this.#ended) return;
    if (this.#running === undefined) {
      this.#ended = true;
      if (this.#spec.pipes) {
        closePipes(this.#spec.pipes, 'ours');
        closePipes(this.#spec.pipes, 'childs');
      }
      this.#onDone();
      return;
    }
    // Nobody reads the output any more: let it run off, so that the program is not stuck in a write.
    this.#gate = undefined;
    this.#steer();
    if (this.#running.pid !== undefined) await endProcesses(this.#running.pid, this.#marker);
  }

  #onViewerGone(): void {
    if (this.#ended) return;
    this.end().catch((error) => process.stderr.write(`boxd: a command did not end: ${error}\n`));
  }

  #onInput(data: Buffer): void {
    const running = this.#running;
    if (running === undefined) {
      this.#refuse('The first message must be start.');
      return;
    }
    if (data[0] !== commandChannel.stdin) {
      this.#refuse('A viewer sends stdin only.');
      return;
    }
    if (running.pendingInputBytes > maxCreditBytes) {
      this.#refuse('More input than was granted.');
      return;
    }
    if (data.length > 1 && !this.#ended) running.write(data.subarray(1));
  }

  #onControl(text: string): void {
    let message: ReturnType<typeof parseControl>;
    try {
      message = parseControl(text);
    } catch {
      this.#refuse('Not a control message.');
      return;
    }
    const running = this.#running;
    if (message.type === 'start' && running === undefined && !this.#ended) {
      this.#start(message.credit);
      return;
    }
    if (running !== undefined) {
      if (message.type === 'ack') {
        this.#gate?.acknowledge(message.offset);
        this.#steer();
        return;
      }
      if (message.type === 'stdinEnd') {
        running.endInput();
        return;
      }
      const name = message.name;
      if (message.type === 'signal' && typeof name === 'string' && signals.has(name)) {
        running.signal(name as NodeJS.Signals);
        return;
      }
    }
    this.#refuse('An unknown control message, or one out of turn.');
  }

  #start(credit: unknown): void {
    if (this.#socket === undefined) return;
    this.#gate = new SendGate(this.#socket, 0, credit);
    this.#running = new RunningCommand(this.#spec, {
      onOutput: (channel, bytes) => this.#onOutput(commandChannel[channel], bytes),
      onInputTaken: (offset) => this.#say({ type: 'stdinAck', offset }),
      onEnd: (end) => {
        this.#ended = true;
        this.#say({ type: 'exit', ...end });
        this.#webSocket?.close(closeCode.normal);
        this.#onDone();
      },
    });
  }

  #onOutput(channel: number, bytes: Buffer): void {
    if (this.#gate === undefined || !this.#isOpen()) return;
    this.#gate.send(bytes.length);
    for (let at = 0; at < bytes.length; at += maxPayloadBytes) {
      const part = bytes.subarray(at, at + maxPayloadBytes);
      const frame = Buffer.allocUnsafe(part.length + 1);
      frame[0] = channel;
      frame.set(part, 1);
      this.#webSocket?.send(frame);
    }
    this.#steer();
  }

  /** A chunk may go over the window by its own size; nothing more is read until half of it is free again. */
  #steer(): void {
    const waits = this.#gate?.roomBytes === 0;
    if (waits === this.#paused) return;
    this.#paused = waits;
    if (waits) this.#running?.pause();
    else this.#running?.resume();
  }

  #isOpen(): boolean {
    return this.#webSocket?.readyState === this.#webSocket?.OPEN;
  }

  #say(message: CommandMessage): void {
    if (this.#isOpen()) this.#webSocket?.send(JSON.stringify(message));
  }

  #refuse(reason: string): void {
    this.#webSocket?.close(closeCode.badMessage, reason);
  }
}
