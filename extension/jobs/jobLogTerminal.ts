import * as vscode from 'vscode';
import { ColourFilter } from '../../client/colourFilter.ts';
import { JobLog } from '../../client/jobLog.ts';
import type { ReconnectState } from '../../client/reconnectRules.ts';
import type { TerminalPlace } from '../../client/terminalSession.ts';
import { isEndedJobState, type Job } from '../../protocol/jobs.ts';
import { windowCreditBytes } from '../../protocol/limits.ts';
import { failureText } from '../failure.ts';
import { missedText } from '../terminals/missedText.ts';
import { RenderCredit } from '../terminals/renderCredit.ts';
import { clearStatus, noticeLine, statusLine } from '../terminals/terminalText.ts';
import { endInWords, stateInWords } from './jobWords.ts';

const askEveryBytes = windowCreditBytes / 4;

/** What a job prints, with its colours and nothing else, from its first byte and live. Nothing that is typed goes anywhere. */
export class JobLogTerminal implements vscode.Pseudoterminal {
  readonly #write = new vscode.EventEmitter<string>();
  readonly #close = new vscode.EventEmitter<void>();
  readonly #credit: RenderCredit;
  readonly #log: JobLog;
  readonly #encoder = new TextEncoder();
  #colours = new ColourFilter();
  #unaskedBytes = 0;
  #isEnded = false;
  #hasOutput = false;
  readonly onDidWrite = this.#write.event;
  readonly onDidClose = this.#close.event;

  constructor(place: TerminalPlace, id: string) {
    this.#credit = new RenderCredit({
      random: () => crypto.getRandomValues(new Uint32Array(1))[0] ?? 0,
      onShown: (offset) => this.#log.acknowledge(offset),
      after: (ms, callback) => {
        const timer = setTimeout(callback, ms);
        return () => clearTimeout(timer);
      },
    });
    this.#log = new JobLog({
      ...place,
      id,
      creditBytes: windowCreditBytes,
      listener: {
        onOutput: (bytes, endOffset) => {
          this.#begin();
          this.#show(bytes, endOffset);
        },
        onOmitted: (bytes) => {
          this.#credit.startOver();
          this.#colours = new ColourFilter();
          this.#write.fire(`\x1b[0m${noticeLine(missedText(bytes))}`);
        },
        onJob: (job) => this.#showState(job),
        onEnd: (job) => this.#end(job),
        onState: (state) => this.#follow(state),
      },
    });
  }

  open(): void {
    this.#write.fire(statusLine(vscode.l10n.t('Asking for the log…')));
    this.#log.connect();
  }

  close(): void {
    this.#log.close();
    this.#credit.forgetQuestions();
  }

  /** The machine slept. */
  renew(): void {
    if (!this.#isEnded) this.#log.renew();
  }

  handleInput(data: string): void {
    const input = this.#credit.takeAnswers(data);
    // The answers of the terminal to what the agent once asked are not keys.
    if (this.#isEnded && input.length === 1) this.#close.fire();
  }

  /** Credit is for what has come, however little of it is shown. */
  #show(bytes: Uint8Array, endOffset: number): void {
    this.#write.fire(this.#credit.show(this.#encoder.encode(this.#colours.add(bytes)), endOffset));
    this.#unaskedBytes += bytes.length;
    if (this.#unaskedBytes < askEveryBytes) return;
    this.#unaskedBytes = 0;
    this.#write.fire(this.#credit.askNow(endOffset, () => undefined));
  }

  #begin(): void {
    if (!this.#hasOutput) this.#write.fire(clearStatus);
    this.#hasOutput = true;
  }

  #showState(job: Job): void {
    if (this.#hasOutput || isEndedJobState(job.state)) return;
    this.#write.fire(statusLine([stateInWords(job), job.detail ?? ''].filter(Boolean).join('. ')));
  }

  #end(job: Job): void {
    this.#isEnded = true;
    this.#begin();
    this.#write.fire(`\x1b[0m${noticeLine(vscode.l10n.t('{0} Press any key to close.', endInWords(job)))}`);
  }

  #follow(state: ReconnectState): void {
    this.#credit.forgetQuestions();
    if (state.name !== 'disconnected' || this.#isEnded) return;
    this.#isEnded = true;
    const why = 'error' in state && state.error !== undefined ? failureText(state.error) : '';
    this.#write.fire(noticeLine(vscode.l10n.t('{0} Press any key to close.', why)));
  }
}
