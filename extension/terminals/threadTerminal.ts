import * as vscode from 'vscode';
import { type TerminalPlace, TerminalSession, type TerminalState } from '../../client/terminalSession.ts';
import { windowCreditBytes } from '../../protocol/limits.ts';
import { failureText, isCancellation } from '../failure.ts';
import { missedText } from './missedText.ts';
import { openSession } from './openSession.ts';
import { PassingNotice } from './passingNotice.ts';
import { RenderCredit } from './renderCredit.ts';
import type { TerminalTarget } from './terminalTarget.ts';
import { clearStatus, fromFirstLine, noticeLine, resetTerminal, statusLine, withoutReports } from './terminalText.ts';

export interface ThreadTerminalParts {
  readonly place: TerminalPlace;
  readonly target: TerminalTarget;
  /** What is going on while it opens: the box starts. Undefined: nothing special. */
  readonly opening: () => string;
  /** Its box is up but for a setup, which Enter does not wait for. */
  readonly isSettingUp: () => boolean;
  /** As far as is known. */
  readonly boxRuns: () => boolean;
  readonly keepOpenOnExit: () => 'never' | 'onError' | 'always';
  readonly onOpened: (id: string) => void;
  /** The shell is gone; the tab may still be there. */
  readonly onEnded: () => void;
  readonly openSafeTerminal: () => void;
}

/** The first size comes only when the panel was shown; waiting longer would delay the prompt. */
const firstSizeMs = 250;
/** A replay comes in one piece; a pause this long is its end. */
const replayPauseMs = 100;
/** A shell that ends sooner, with an error, is likely broken by its own start-up files (design section 7). */
const earlyExitMs = 3_000;

type Phase = 'opening' | 'live' | 'away' | 'askRetry' | 'askClose' | 'closed';

/** A terminal in the box as VS Code sees it. Credit goes back only for what VS Code has drawn (`renderCredit.ts`). */
export class ThreadTerminal implements vscode.Pseudoterminal {
  readonly #parts: ThreadTerminalParts;
  readonly #write = new vscode.EventEmitter<string>();
  // biome-ignore lint/suspicious/noConfusingVoidType: the form that Pseudoterminal.onDidClose has
  readonly #close = new vscode.EventEmitter<number | void>();
  readonly #credit: RenderCredit;
  readonly #encoder = new TextEncoder();
  readonly #stop = new AbortController();
  readonly #openNow = new AbortController();
  #session: TerminalSession | undefined;
  #size = { columns: 80, rows: 24 };
  #firstSize = Promise.withResolvers<void>();
  #phase: Phase = 'opening';
  readonly #passing: PassingNotice;
  #safeOffered = false;
  /** Of the replay of a terminal that ran before this window: its end is not marked. */
  #replay: { timer?: ReturnType<typeof setTimeout>; isFirst: boolean } | undefined;
  readonly onDidWrite = this.#write.event;
  readonly onDidClose = this.#close.event;

  constructor(parts: ThreadTerminalParts) {
    this.#parts = parts;
    this.#passing = new PassingNotice(
      (text) => this.#write.fire(text),
      () => this.#credit.vt,
    );
    if (parts.target.kind === 'running') this.#size = parts.target.size;
    this.#credit = new RenderCredit({
      random: () => crypto.getRandomValues(new Uint32Array(1))[0] ?? 0,
      onShown: (offset) => this.#session?.acknowledge(offset),
      after: (ms, callback) => {
        const timer = setTimeout(callback, ms);
        return () => clearTimeout(timer);
      },
    });
  }

  get id(): string | undefined {
    return this.#session?.id;
  }

  open(size: vscode.TerminalDimensions | undefined): void {
    this.#write.fire(statusLine(this.#parts.opening()));
    if (size !== undefined) this.setDimensions(size);
    void this.#start(size !== undefined);
  }

  /** The window closed it, or goes away; whether the shell ends with it is decided where that is known. */
  close(): void {
    this.#phase = 'closed';
    this.#stop.abort();
    this.#session?.detach();
    this.#credit.forgetQuestions();
    clearTimeout(this.#replay?.timer);
  }

  setDimensions({ columns, rows }: vscode.TerminalDimensions): void {
    this.#size = { columns, rows };
    this.#firstSize.resolve();
    this.#session?.resize(columns, rows);
  }

  /** The box says something new about itself while it opens. */
  showOpening(): void {
    if (this.#phase === 'opening') this.#write.fire(statusLine(this.#parts.opening()));
  }

  /** The machine slept; or, `ifAway`, the service answers again, which is not the moment to wait for the next try. */
  renew(ifAway = false): void {
    if (!ifAway || this.#phase === 'away') this.#session?.renew();
  }

  handleInput(data: string): void {
    let input = this.#credit.takeAnswers(data);
    if (this.#replay !== undefined) input = withoutReports(input);
    if (input === '') return;
    if (this.#phase === 'askClose') this.#answerClose(input);
    else if (this.#phase === 'askRetry') this.#retry();
    else if (this.#phase === 'opening' && this.#parts.isSettingUp() && input.includes('\r')) this.#openNow.abort();
    else if (this.#session?.write(this.#encoder.encode(input)) !== true) this.#write.fire('\x07');
  }

  async #start(hasSize: boolean): Promise<void> {
    const timer = hasSize ? undefined : setTimeout(() => this.#firstSize.resolve(), firstSizeMs);
    await this.#firstSize.promise;
    clearTimeout(timer);
    const { target } = this.#parts;
    const viewer = {
      ...this.#size,
      creditBytes: windowCreditBytes,
      onOutput: (bytes: Uint8Array, endOffset: number) => this.#show(bytes, endOffset),
      onState: (state: TerminalState) => this.#follow(state),
    };
    try {
      if (target.kind !== 'new') {
        this.#replay = { isFirst: true };
        const view = target.kind === 'shared' ? TerminalSession.watch : TerminalSession.attach;
        this.#session = view(this.#parts.place, target.id, viewer);
      } else {
        const { cwd, thread, safe } = target;
        const place = thread !== undefined ? { thread } : cwd !== undefined ? { cwd } : {};
        const request = { safe, ...place };
        this.#session = await openSession(this.#parts.place, request, viewer, {
          stop: this.#stop.signal,
          openNow: this.#openNow.signal,
        });
      }
      this.#session.resize(this.#size.columns, this.#size.rows);
      this.#parts.onOpened(this.#session.id);
    } catch (error) {
      if (isCancellation(error) || this.#phase === 'closed') return;
      this.#write.fire(clearStatus);
      this.#askRetry(failureText(error));
    }
  }

  #show(bytes: Uint8Array, endOffset: number): void {
    this.#passing.clear();
    let shown = bytes;
    const replay = this.#replay;
    if (replay !== undefined) {
      const isCut = replay.isFirst && endOffset > bytes.length;
      if (isCut) shown = fromFirstLine(bytes);
      replay.isFirst = false;
      clearTimeout(replay.timer);
      replay.timer = setTimeout(() => this.#endReplay(endOffset), replayPauseMs);
    }
    this.#write.fire(this.#credit.show(shown, endOffset));
  }

  /** Questions in the replay are answered before ours, so what the terminal says after that answer is news. */
  #endReplay(endOffset: number): void {
    const isOver = (): void => {
      this.#replay = undefined;
    };
    const question = this.#credit.askNow(endOffset, isOver);
    if (question === '') isOver();
    else this.#write.fire(question);
  }

  #follow(state: TerminalState): void {
    switch (state.name) {
      case 'connecting':
        return;
      case 'attached':
        this.#attached(state.resumed);
        return;
      case 'missed':
        this.#credit.startOver();
        this.#passing.clear();
        this.#write.fire(`\x1b[0m${noticeLine(missedText(state.bytes))}`);
        return;
      case 'redraw':
        this.#credit.startOver();
        this.#passing.clear();
        // A picture of the screen asks no questions.
        clearTimeout(this.#replay?.timer);
        this.#replay = undefined;
        this.#write.fire(resetTerminal);
        return;
      case 'reconnecting':
        this.#credit.forgetQuestions();
        this.#away();
        return;
      case 'silent':
        this.#passing.show(vscode.l10n.t('Your box does not answer. Wait for it, or Restart Box.'), this.#size.columns);
        return;
      case 'answering':
        this.#passing.clear();
        return;
      case 'disconnected':
        this.#passing.clear();
        this.#credit.forgetQuestions();
        this.#askRetry(failureText(state.error));
        return;
      case 'ended':
        this.#passing.clear();
        this.#ended(state);
    }
  }

  #attached(resumed: boolean): void {
    this.#passing.clear();
    if (!resumed) this.#write.fire(clearStatus);
    // Only once known: `open` hands the session over after its first state.
    const notes = resumed ? [] : (this.#session?.notes ?? []);
    for (const note of notes) this.#write.fire(`${noticeLine(note).slice(2)}`);
    this.#phase = 'live';
  }

  #away(): void {
    if (this.#phase === 'away' || this.#phase === 'opening') return;
    this.#phase = 'away';
    this.#passing.show(vscode.l10n.t('Connection lost, reconnecting… The terminal runs on.'), this.#size.columns);
  }

  #askRetry(why: string): void {
    this.#phase = 'askRetry';
    this.#write.fire(noticeLine(vscode.l10n.t('{0} Press any key to try again.', why)));
  }

  /** Asked for by a person; still only ever attaches to what runs, once there was a terminal. */
  #retry(): void {
    this.#phase = 'opening';
    this.#write.fire(statusLine(this.#parts.opening()));
    if (this.#session === undefined) void this.#start(true);
    else this.#session.retry();
  }

  #ended({ exit, error }: Extract<TerminalState, { name: 'ended' }>): void {
    this.#parts.onEnded();
    if (this.#phase === 'closed') return;
    const code = exit?.code ?? 0;
    const early = exit !== undefined && code !== 0 && exit.ranMs < earlyExitMs;
    if (error !== undefined) {
      // A box that was removed takes its terminals along, and the service then knows nothing of them.
      const isBoxGone = error.code === 'terminal-ended' && !this.#parts.boxRuns();
      const boxGone = vscode.l10n.t('Your box has stopped, and this terminal with it. Your home is as it was.');
      this.#askClose(isBoxGone ? boxGone : failureText(error));
    } else if (early && this.#parts.keepOpenOnExit() !== 'never' && !this.#isSafe) {
      this.#safeOffered = true;
      const seconds = ((exit?.ranMs ?? 0) / 1000).toFixed(1);
      this.#askClose(
        vscode.l10n.t(
          'The shell ended with code {0} after {1} s. If its start-up files are broken, press s for a safe terminal.',
          code,
          seconds,
        ),
      );
    } else if (this.#parts.keepOpenOnExit() === 'always' || (early && this.#isSafe)) {
      this.#askClose(vscode.l10n.t('The shell ended with code {0}.', code));
    } else {
      this.#finish(code);
    }
  }

  get #isSafe(): boolean {
    return this.#parts.target.kind === 'new' && this.#parts.target.safe;
  }

  #askClose(why: string): void {
    this.#phase = 'askClose';
    const close = this.#safeOffered
      ? vscode.l10n.t('Any other key closes this one.')
      : vscode.l10n.t('Press any key to close.');
    this.#write.fire(noticeLine(`${why} ${close}`));
  }

  #answerClose(input: string): void {
    if (this.#safeOffered && input.toLowerCase() === 's') this.#parts.openSafeTerminal();
    this.#finish(0);
  }

  #finish(code: number): void {
    this.close();
    // A code makes VS Code say so; for a plain `exit` there is nothing to say.
    if (code === 0) this.#close.fire();
    else this.#close.fire(code);
  }
}
