import { connect, type Socket } from 'node:net';

/** How long to wait before dialling a service again that did not answer, or hung up on an unused connection. */
const retryMs = 100;

interface Options {
  readonly socketPath: string;
  /** Connections that wait for the service to use them. */
  readonly count: number;
  readonly onConnection: (socket: Socket) => void;
}

/**
 * The connections that boxd dials and leaves for the service to use (`security.md` decision 1). They are dialled one
 * after another, so that a service that is away costs one attempt per 100 ms, however many are wanted.
 */
export class ParkedConnections {
  readonly #options: Options;
  readonly #parked = new Set<Socket>();
  #dialling: Socket | undefined;
  #retry: NodeJS.Timeout | undefined;
  #closed = false;

  constructor(options: Options) {
    this.#options = options;
  }

  get count(): number {
    return this.#parked.size;
  }

  /** Dials until enough wait, and from then on keeps it so. */
  start(): void {
    this.#fill();
  }

  /** Tells that the service has begun to use a connection: the next one is dialled at once. */
  used(socket: Socket): void {
    if (this.#parked.delete(socket)) this.#fill();
  }

  close(): void {
    this.#closed = true;
    clearTimeout(this.#retry);
    this.#dialling?.destroy();
    for (const socket of this.#parked) socket.destroy();
  }

  #fill(): void {
    if (this.#closed || this.#dialling || this.#retry || this.#parked.size >= this.#options.count) return;
    const socket = connect(this.#options.socketPath);
    this.#dialling = socket;
    socket.once('connect', () => {
      this.#dialling = undefined;
      this.#parked.add(socket);
      this.#options.onConnection(socket);
      this.#fill();
    });
    // Every failure ends in 'close'; an away service is the normal reason and says nothing worth a log line.
    socket.on('error', () => {});
    socket.once('close', () => {
      if (this.#dialling === socket) this.#dialling = undefined;
      else if (!this.#parked.delete(socket)) return;
      this.#later();
    });
  }

  #later(): void {
    if (this.#closed || this.#retry) return;
    this.#retry = setTimeout(() => {
      this.#retry = undefined;
      this.#fill();
    }, retryMs);
  }
}
