/** Where the start of a login shell spends its time, from the shell's own trace. No VS Code in here. */

export interface SpentTime {
  /** Empty where the shell does not say. */
  readonly file: string;
  readonly line: number;
  /** The last that ran there, cut. */
  readonly command: string;
  readonly ms: number;
  readonly runs: number;
}

export interface StartupProfile {
  readonly shell: string;
  /** As it starts every day; with tracing it takes longer. */
  readonly plainMs: number;
  readonly tracedMs: number;
  /** The longest first. */
  readonly spent: readonly SpentTime[];
}

const separator = '\u001f';
const maxCommandLength = 200;
const maxSeconds = 60;

/**
 * Runs the login shell twice as a terminal would start it: once as it is, for the time that it really takes, once tracing into a
 * file of its own. bash and zsh say file and line with each command; fish says the command only.
 */
export const traceCommand: readonly string[] = [
  'bash',
  '-c',
  `trace=$(mktemp) || exit 1
trap 'rm -f "$trace"' EXIT
export TERM=xterm-256color
now() { local t=$EPOCHREALTIME; echo "\${t/[.,]/}"; }
run() { timeout --foreground ${maxSeconds} "$@" </dev/null >/dev/null; }
start=$(now); run "$SHELL" -l -i -c exit 2>/dev/null; code=$?; end=$(now)
if [ "$code" = 124 ]; then echo "The shell did not start within ${maxSeconds} s." >&2; exit 1; fi
echo "shell$SHELL"
echo "plain$((end - start))"
mark=$'\\x1f'
start=$(now)
case \${SHELL##*/} in
  bash) PS4="+$mark\\\${EPOCHREALTIME}$mark\\\${BASH_SOURCE[0]}$mark\\\${LINENO}$mark" BASH_XTRACEFD=9 \
    run "$SHELL" -x -l -i -c exit 9>"$trace" 2>/dev/null ;;
  zsh) PS4="+$mark%D{%s.%6.}$mark%x$mark%I$mark" run "$SHELL" -x -l -i -c exit 2>"$trace" ;;
  fish) run "$SHELL" --profile-startup "$trace" -l -i -c exit 2>/dev/null ;;
  *) echo "\${SHELL##*/} cannot tell where its time goes." >&2; exit 1 ;;
esac
end=$(now)
echo "traced$start $end"
head -c 32000000 "$trace"`,
];

/** Reads the output of {@link traceCommand}, line by line. */
export class StartupTrace {
  readonly #spent = new Map<string, { file: string; line: number; command: string; us: number; runs: number }>();
  #shell = '';
  #plainUs = 0;
  #startUs = 0;
  #endUs = 0;
  #last: { atUs: number; key: string } | undefined;

  feed(text: string): void {
    if (text.startsWith(`+`) && text.includes(separator)) this.#step(text);
    else if (this.#shell === '' && text.startsWith('shell')) this.#shell = text.slice('shell'.length);
    else if (this.#plainUs === 0 && text.startsWith('plain')) this.#plainUs = Number(text.slice('plain'.length));
    else if (this.#endUs === 0 && text.startsWith('traced')) {
      [this.#startUs = 0, this.#endUs = 0] = text.slice('traced'.length).split(' ').map(Number);
    } else this.#fishStep(text);
  }

  /** Undefined where nothing was traced. */
  profile(): StartupProfile | undefined {
    if (this.#spent.size === 0) return undefined;
    this.#closeStep(this.#endUs);
    const spent = [...this.#spent.values()].map(({ us, ...rest }) => ({ ...rest, ms: us / 1000 }));
    return {
      shell: this.#shell,
      plainMs: this.#plainUs / 1000,
      tracedMs: (this.#endUs - this.#startUs) / 1000,
      spent: spent.filter(({ ms }) => ms > 0).sort((one, other) => other.ms - one.ms),
    };
  }

  /** What a line costs is the time until the next one, with whatever it waits for. */
  #step(text: string): void {
    const [, time = '', file = '', line = '', ...command] = text.split(separator);
    const atUs = Math.round(Number(time.replace(',', '.')) * 1e6);
    if (!Number.isFinite(atUs) || atUs === 0) return;
    this.#closeStep(atUs);
    const key = `${file}:${line}`;
    const known = this.#spent.get(key);
    const shown = command.join(separator).slice(0, maxCommandLength);
    if (known === undefined) this.#spent.set(key, { file, line: Number(line) || 0, command: shown, us: 0, runs: 1 });
    else {
      known.runs++;
      known.command = shown;
    }
    this.#last = { atUs, key };
  }

  #closeStep(atUs: number): void {
    const known = this.#last === undefined ? undefined : this.#spent.get(this.#last.key);
    if (known !== undefined && this.#last !== undefined) known.us += Math.max(0, atUs - this.#last.atUs);
    this.#last = undefined;
  }

  /** `time<TAB>sum<TAB>> command`, in microseconds; what is nested is in `sum` of its parent. */
  #fishStep(text: string): void {
    const found = /^(\d+)\t\d+\t-*> ?(.*)$/.exec(text);
    if (found === null) return;
    const command = (found[2] ?? '').slice(0, maxCommandLength);
    const known = this.#spent.get(command);
    const us = Number(found[1]);
    if (known === undefined) this.#spent.set(command, { file: '', line: 0, command, us, runs: 1 });
    else {
      known.us += us;
      known.runs++;
    }
  }
}

/** Time by file, the longest first. */
export function byFile(spent: readonly SpentTime[]): { file: string; ms: number }[] {
  const files = new Map<string, number>();
  for (const { file, ms } of spent) files.set(file, (files.get(file) ?? 0) + ms);
  return [...files].map(([file, ms]) => ({ file, ms })).sort((one, other) => other.ms - one.ms);
}

export function inMilliseconds(ms: number): string {
  return ms >= 1000 ? `${(ms / 1000).toFixed(2)} s` : ms >= 10 ? `${Math.round(ms)} ms` : `${ms.toFixed(1)} ms`;
}
