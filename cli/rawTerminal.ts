import { spawnSync } from 'node:child_process';
import type { CommandLine } from './commandLine.ts';

/**
 * What a program in the box may have left switched on: mouse reports, bracketed paste, application keys, a hidden cursor,
 * colours, the alternate screen. 1047 and not 1049, which would also move the cursor where nothing was saved.
 */
const plainAgain =
  '\u001b[?1000l\u001b[?1002l\u001b[?1003l\u001b[?1006l\u001b[?1004l\u001b[?2004l\u001b[?1l\u001b>\u001b[?1047l\u001b[?25h\u001b[0m';

/** The terminal of this process in raw mode, until disposed or the process exits, whichever comes first. */
export class RawTerminal implements Disposable {
  readonly #line: CommandLine;
  readonly #restore = (): void => this[Symbol.dispose]();
  #isRaw = true;

  constructor(line: CommandLine) {
    this.#line = line;
    // Also where a bug ends the process: a terminal without echo is worse than any message.
    process.once('exit', this.#restore);
    line.stdin.setRawMode(true);
    // libuv's raw mode still turns \n into \r\n on the way out (uv_tty_set_mode, ONLCR), and \n alone is how terminfo's
    // xterm moves the cursor down (cud1). Leaving raw mode restores this too; without stty the output is merely less exact.
    spawnSync('stty', ['-opost'], { stdio: ['inherit', 'ignore', 'ignore'] });
    line.stdin.resume();
  }

  /** One dim line that is not the box's; it starts on a line of its own. */
  say(text: string): void {
    this.#line.stderr.write(`\r\n\u001b[2m[spoon] ${text}\u001b[0m\r\n`);
  }

  bell(): void {
    this.#line.stderr.write('\u0007');
  }

  [Symbol.dispose](): void {
    if (!this.#isRaw) return;
    this.#isRaw = false;
    process.removeListener('exit', this.#restore);
    this.#line.stdin.pause();
    this.#line.stdin.setRawMode(false);
    this.#line.stdout.write(plainAgain);
  }
}
