import { randomUUID } from 'node:crypto';
import { mkdir, readFile, rename, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { Type } from 'typebox';
import { Value } from 'typebox/value';
import type { SealKeyPins } from '../client/sealing.ts';
import { UsageError } from './commandLine.ts';

const Pins = Type.Record(Type.String(), Type.String());

/** Beside the credentials: the keys that were seen first, by service and user. Public, but nobody else may change them. */
export class SealKeyFile implements SealKeyPins {
  readonly #file: string;

  constructor(credentialsFile: string) {
    this.#file = join(dirname(credentialsFile), 'seal-keys.json');
  }

  async get(name: string): Promise<string | undefined> {
    return (await this.#read())[name];
  }

  async set(name: string, key: string): Promise<void> {
    const pins = { ...(await this.#read()), [name]: key };
    await mkdir(dirname(this.#file), { recursive: true, mode: 0o700 });
    const temporary = `${this.#file}.${randomUUID()}.tmp`;
    await writeFile(temporary, `${JSON.stringify(pins, undefined, 2)}\n`, { flag: 'wx', mode: 0o600, flush: true });
    await rename(temporary, this.#file);
  }

  async #read(): Promise<Record<string, string>> {
    let text: string;
    try {
      text = await readFile(this.#file, 'utf8');
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'ENOENT') return {};
      throw error;
    }
    const pins = parsed(text);
    if (Value.Check(Pins, pins)) return pins;
    throw new UsageError(`${this.#file} is not what spoonctl wrote. Move it away; keys are then taken as new.`);
  }
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
