import { randomUUID } from 'node:crypto';
import { mkdtempSync, renameSync, rmSync, statfsSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { JsonFields } from '../http/jsonFields.ts';

/** Linux's magic number of tmpfs (statfs(2)). */
const tmpfs = 0x01021994;
/** In memory in every box. Not `/run`, which is root's, and not `/tmp`, which may be a disk where boxes are processes. */
const place = '/dev/shm';

export interface SecretEnvironment {
  /** Secrets as they are, and the paths of those that are files. */
  readonly environment: Record<string, string>;
  /** What a log must not hold. */
  readonly values: string[];
  readonly notes: string[];
}

/** Secrets that are wanted as files: in memory, in a folder of this box's own (0700), mode 600, for as long as boxd runs. */
export class SecretFiles {
  readonly #place: string;
  #folder: string | undefined;

  constructor(parent = place) {
    this.#place = parent;
  }

  /** Reads `environment` and `secretFiles` (the bytes in base64). One that cannot be written is left out and said. */
  read(fields: JsonFields): SecretEnvironment {
    const given = (name: string) => (fields.value(name) === undefined ? {} : fields.variables(name));
    const environment = given('environment');
    const values = Object.values(environment);
    const notes: string[] = [];
    for (const [name, base64] of Object.entries(given('secretFiles'))) {
      const bytes = Buffer.from(base64, 'base64');
      values.push(bytes.toString('utf8'));
      try {
        environment[name] = this.#write(name, bytes);
      } catch (error) {
        notes.push(`The secret ${name} is left out: its file could not be written (${(error as Error).message}).`);
      }
    }
    return { environment, values, notes };
  }

  /** One without a name, until it is removed. @returns its path @throws Error when the memory cannot be written */
  lay(bytes: Uint8Array): string {
    return this.#write(randomUUID(), bytes);
  }

  remove(path: string): void {
    rmSync(path, { force: true });
  }

  close(): void {
    if (this.#folder !== undefined) rmSync(this.#folder, { recursive: true, force: true });
    this.#folder = undefined;
  }

  /** Whole or not at all: a program may be reading the one before. */
  #write(name: string, bytes: Uint8Array): string {
    const path = join(this.#ensureFolder(), name);
    writeFileSync(`${path}.new`, bytes, { mode: 0o600 });
    renameSync(`${path}.new`, path);
    return path;
  }

  #ensureFolder(): string {
    if (statfsSync(this.#place).type !== tmpfs) throw new Error(`${this.#place} is not in memory`);
    this.#folder ??= mkdtempSync(join(this.#place, 'spoon-secrets-'));
    return this.#folder;
  }
}
