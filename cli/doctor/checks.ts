import { SpoonError } from '../../protocol/errors.ts';
import { UsageError } from '../commandLine.ts';
import { adviceFor } from '../exitCodes.ts';

/** `machine` is where spoonctl runs, `box` that of who is signed in. */
export type Side = 'machine' | 'service' | 'box';

export interface Check {
  readonly side: Side;
  /** Which of them, for a person: an address, a socket, a username. */
  readonly of: string;
  readonly name: string;
  readonly state: 'ok' | 'warning' | 'failed';
  readonly found: string;
  /** What to do; absent where `found` says it, and for what is well. */
  readonly advice?: string;
}

/** The checks of one side, in the order in which they were made. None throws: what could not be found out is what was found. */
export class Checks {
  readonly rows: Check[] = [];
  readonly #side: Side;
  readonly #of: string;

  constructor(side: Side, of: string) {
    this.#side = side;
    this.#of = of;
  }

  ok(name: string, found: string): void {
    this.#add(name, 'ok', found);
  }

  warn(name: string, found: string, advice?: string): void {
    this.#add(name, 'warning', found, advice);
  }

  fail(name: string, found: string, advice?: string): void {
    this.#add(name, 'failed', found, advice);
  }

  /**
   * Makes a check that asks somebody.
   * @returns what `look` found; undefined when it failed, which is then a row. A plain Error is a bug and is thrown on
   */
  async ask<T>(name: string, look: () => Promise<T>): Promise<T | undefined> {
    try {
      return await look();
    } catch (error) {
      if (error instanceof UsageError) this.fail(name, error.message);
      // What this token may not see is not wrong for that.
      else if (error instanceof SpoonError && error.code === 'insufficient-scope') {
        this.warn(name, 'was not looked at: this token may not.');
      } else if (error instanceof SpoonError) this.fail(name, error.message, adviceOn(error));
      else throw error;
      return undefined;
    }
  }

  #add(name: string, state: Check['state'], found: string, advice?: string): void {
    const row = { side: this.#side, of: this.#of, name, state, found };
    this.rows.push(advice === undefined ? row : { ...row, advice });
  }
}

/** The usual advice is to ask this very command. */
function adviceOn(error: SpoonError): string | undefined {
  if (error.code === 'service-unreachable') return 'Check that the service runs, and the address.';
  return adviceFor(error);
}
