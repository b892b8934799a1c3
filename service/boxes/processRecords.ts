import { mkdir, readdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type Static, Type } from 'typebox';
import { Value } from 'typebox/value';

/** Which process a box is, written down so that a later service finds it. A pid alone is not enough: pids come back. */
export const BoxRecord = Type.Object({
  username: Type.String(),
  pid: Type.Integer({ minimum: 2 }),
  /** Field 22 of /proc/pid/stat (proc(5)): when it started, in ticks since boot. */
  startTicks: Type.String(),
  bootId: Type.String(),
  startedMs: Type.Integer(),
  specHash: Type.String(),
  homePath: Type.String(),
});
export type BoxRecord = Static<typeof BoxRecord>;

export class ProcessRecords {
  readonly #directory: string;

  /** @param directory only the service may enter it */
  constructor(directory: string) {
    this.#directory = directory;
  }

  async write(record: BoxRecord): Promise<void> {
    await this.#replace(this.#path(record.username), JSON.stringify(record));
  }

  /** Keeps what builds a box beside its record. @returns its path */
  async writeScript(username: string, script: string): Promise<string> {
    const path = join(this.#directory, `${username}.sh`);
    await this.#replace(path, script);
    return path;
  }

  /** The record of a box, whether it runs or not. */
  async read(username: string): Promise<BoxRecord | undefined> {
    const text = await orAbsent(readFile(this.#path(username), 'utf8'));
    const record: unknown = text === undefined ? undefined : JSON.parse(text);
    return Value.Check(BoxRecord, record) ? record : undefined;
  }

  async running(username: string): Promise<BoxRecord | undefined> {
    const record = await this.read(username);
    return record !== undefined && (await isRunning(record)) ? record : undefined;
  }

  async allRunning(): Promise<BoxRecord[]> {
    const names = (await orAbsent(readdir(this.#directory))) ?? [];
    const usernames = names.filter((name) => name.endsWith('.json')).map((name) => name.slice(0, -'.json'.length));
    const records = await Promise.all(usernames.map((username) => this.running(username)));
    return records.filter((record) => record !== undefined);
  }

  async remove(username: string): Promise<void> {
    await rm(this.#path(username), { force: true });
    await rm(join(this.#directory, `${username}.sh`), { force: true });
  }

  async #replace(path: string, text: string): Promise<void> {
    await mkdir(this.#directory, { recursive: true, mode: 0o700 });
    await writeFile(`${path}.new`, text, { mode: 0o600 });
    await rename(`${path}.new`, path);
  }

  #path(username: string): string {
    return join(this.#directory, `${username}.json`);
  }
}

/** What tells this process from every other, before and after a restart of the machine. Undefined when there is none. */
export async function identify(pid: number): Promise<Pick<BoxRecord, 'pid' | 'startTicks' | 'bootId'> | undefined> {
  const stat = await readProc(`/proc/${pid}/stat`);
  if (stat === undefined) return undefined;
  // The second field is the program's name in parentheses, and may itself hold spaces and parentheses.
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  const [state] = fields;
  const startTicks = fields[22 - 3];
  if (state === 'Z' || state === 'X' || startTicks === undefined) return undefined;
  return { pid, startTicks, bootId: (await readFile('/proc/sys/kernel/random/boot_id', 'utf8')).trim() };
}

export async function isRunning(record: Pick<BoxRecord, 'pid' | 'startTicks' | 'bootId'>): Promise<boolean> {
  const found = await identify(record.pid);
  return found !== undefined && found.startTicks === record.startTicks && found.bootId === record.bootId;
}

/** The processes with this text in the environment they were started with: how a box without a pid namespace is ended. */
export async function marked(environment: string): Promise<number[]> {
  const pids = (await readdir('/proc')).filter((name) => /^\d+$/.test(name));
  const found = await Promise.all(
    pids.map(async (pid) => {
      const text = await readProc(`/proc/${pid}/environ`);
      return text?.split('\0').includes(environment) ? Number(pid) : undefined;
    }),
  );
  return found.filter((pid) => pid !== undefined);
}

/** Undefined for a process that is gone, or that belongs to somebody else. */
async function readProc(path: string): Promise<string | undefined> {
  try {
    return await readFile(path, 'utf8');
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === 'ENOENT' || code === 'ESRCH' || code === 'EACCES' || code === 'EPERM') return undefined;
    throw error;
  }
}

async function orAbsent<T>(reading: Promise<T>): Promise<T | undefined> {
  try {
    return await reading;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw error;
  }
}
