import { SpoonError } from '../../protocol/errors.ts';
import { unansweringMs } from './patience.ts';

/** People at a box are told within 3 s that it does not answer: this, and one beat. */
export const silentAfterMs = 1_500;
const beatMs = 1_000;
const tickMs = 500;

export interface PulseParts {
  /** The smallest question. It may take as long as it likes: an answer that comes late is one. */
  readonly ask: (signal: AbortSignal) => Promise<unknown>;
  /** Of {@link Pulse.isSilent}. */
  readonly onChange: (isSilent: boolean) => void;
}

/**
 * Whether a box that should run answers. It is asked once a second while somebody waits for it or watches it, and then until
 * it has answered; silence counts from the first question without an answer, whoever asked for what meanwhile.
 */
export class Pulse {
  readonly #parts: PulseParts;
  readonly #over = new AbortController();
  /** Told of every answer, and when it is dead. */
  readonly #listeners = new Set<(answers: boolean) => void>();
  #attending = 0;
  #timer: NodeJS.Timeout | undefined;
  #tickedMs = 0;
  #sinceAnswerMs = 0;
  #isAsking = false;
  #isUnanswered = false;
  #silentMs = 0;
  #isSilent = false;

  constructor(parts: PulseParts) {
    this.#parts = parts;
  }

  /** It has not answered for so long that people should know. */
  get isSilent(): boolean {
    return this.#isSilent;
  }

  /** Since the first question without an answer; 0 while it answers. */
  get silentMs(): number {
    return this.#silentMs;
  }

  /** It may be ended for its silence. */
  get isDead(): boolean {
    return this.#silentMs >= unansweringMs;
  }

  /** Keeps asking until the result is called. */
  attend(): () => void {
    this.#attending++;
    this.#beat();
    let isOver = false;
    return () => {
      if (!isOver) this.#attending--;
      isOver = true;
    };
  }

  /** Resolves with its next answer, or to false once it {@link isDead} or is no longer looked after. */
  async answers(): Promise<boolean> {
    if (this.#over.signal.aborted || this.isDead) return false;
    const release = this.attend();
    const { promise, resolve } = Promise.withResolvers<boolean>();
    this.#listeners.add(resolve);
    // Not one of a moment ago.
    this.#ask();
    try {
      return await promise;
    } finally {
      this.#listeners.delete(resolve);
      release();
    }
  }

  /** What somebody waits for in the box. @throws SpoonError `box-unavailable` once it {@link isDead}; what `work` throws */
  async whileAnswering<T>(work: () => Promise<T>): Promise<T> {
    const release = this.attend();
    const { promise: dead, reject } = Promise.withResolvers<never>();
    const hear = (answers: boolean): void => {
      if (!answers) reject(new SpoonError('box-unavailable', `It gave no answer for ${unansweringMs / 1000} s.`));
    };
    this.#listeners.add(hear);
    if (this.isDead) hear(false);
    try {
      return await Promise.race([work(), dead]);
    } finally {
      this.#listeners.delete(hear);
      release();
    }
  }

  /** The box is no longer this one's matter. */
  close(): void {
    this.#over.abort();
    clearInterval(this.#timer);
    this.#timer = undefined;
    this.#tell(false);
  }

  #beat(): void {
    if (this.#timer !== undefined || this.#over.signal.aborted) return;
    this.#tickedMs = performance.now();
    this.#timer = setInterval(() => this.#tick(), tickMs).unref();
    this.#ask();
  }

  #tick(): void {
    const nowMs = performance.now();
    // A service that was suspended, or has no time itself, must not take that for the silence of its boxes.
    const stepMs = Math.min(nowMs - this.#tickedMs, 2 * tickMs);
    this.#tickedMs = nowMs;
    if (this.#isUnanswered) this.#stayedSilent(stepMs);
    else this.#sinceAnswerMs += stepMs;
    if (this.#attending === 0 && !this.#isUnanswered) {
      clearInterval(this.#timer);
      this.#timer = undefined;
    } else if (this.#isUnanswered || this.#sinceAnswerMs >= beatMs) {
      this.#ask();
    }
  }

  #ask(): void {
    if (this.#isAsking || this.#over.signal.aborted) return;
    this.#isAsking = true;
    this.#isUnanswered = true;
    this.#parts
      .ask(this.#over.signal)
      .then(
        () => this.#answered(),
        (error: unknown) => {
          // An answer that makes no sense is one all the same.
          if (!(error instanceof SpoonError && error.code === 'box-unavailable')) this.#answered();
        },
      )
      .finally(() => {
        this.#isAsking = false;
      });
  }

  #answered(): void {
    if (this.#over.signal.aborted) return;
    this.#isUnanswered = false;
    this.#sinceAnswerMs = 0;
    this.#silentMs = 0;
    this.#become(false);
    this.#tell(true);
  }

  #stayedSilent(ms: number): void {
    this.#silentMs += ms;
    if (this.#silentMs >= silentAfterMs) this.#become(true);
    if (this.isDead) this.#tell(false);
  }

  #become(isSilent: boolean): void {
    if (this.#isSilent === isSilent) return;
    this.#isSilent = isSilent;
    this.#parts.onChange(isSilent);
  }

  #tell(answers: boolean): void {
    for (const listener of this.#listeners) listener(answers);
  }
}
