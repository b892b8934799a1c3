import { constants, copyFileSync, existsSync, mkdirSync, rmSync } from 'node:fs';
import { join, resolve } from 'node:path';
import type { JobChanges } from '../../protocol/jobs.ts';
import { maxJobDiffBytes } from '../../protocol/limits.ts';
import type { Git, GitResult } from '../git/runGit.ts';

/** A start does not wait longer for a look at the checkout; then the job runs without. */
const firstLookMs = 10_000;
const lastLookMs = 60_000;
const maxFiles = 1000;
const maxCommits = 200;

export interface ChangesFound {
  readonly changes: JobChanges;
  readonly diff: Buffer;
}

/**
 * What happens in a checkout between two looks: commits, and all files that git does not ignore, whether they were clean before or
 * not. A look is a tree made with an index of its own and a place of its own for new objects: the person's index and repository stay
 * as they are.
 */
export class CheckoutChanges {
  readonly #git: Git;
  readonly #cwd: string;
  readonly #scratch: string;
  #environment: Record<string, string> = {};
  #index = '';
  #head: string | undefined;
  #tree = '';

  private constructor(git: Git, cwd: string, scratch: string) {
    this.#git = git;
    this.#cwd = cwd;
    this.#scratch = scratch;
  }

  /**
   * The first look. `undefined` where git cannot say: no checkout, or too much in it.
   * @param scratch a folder that nobody else uses; removed by {@link close}
   */
  static async begin(git: Git, cwd: string, scratch: string): Promise<CheckoutChanges | undefined> {
    const changes = new CheckoutChanges(git, cwd, scratch);
    try {
      await changes.#begin();
      return changes;
    } catch {
      changes.close();
      return undefined;
    }
  }

  /** @param mask of what is kept: a program may have written a secret into a file */
  async end(mask: (text: string) => string): Promise<ChangesFound> {
    const head = await this.#readHead(lastLookMs);
    const tree = await this.#readTree(lastLookMs);
    const range = this.#head === undefined ? 'HEAD' : `${this.#head}..HEAD`;
    const [files, commits, diff] = await Promise.all([
      this.#files(tree, mask),
      head === undefined || head === this.#head ? noCommits : this.#commits(range, mask),
      this.#diff(tree, mask),
    ]);
    return {
      changes: { ...files, ...commits, diffBytes: diff.bytes.length, diffCut: diff.cut },
      diff: diff.bytes,
    };
  }

  close(): void {
    rmSync(this.#scratch, { recursive: true, force: true });
  }

  async #begin(): Promise<void> {
    const [places, head] = await Promise.all([
      this.#run(['rev-parse', '--git-path', 'objects', '--git-path', 'index'], firstLookMs),
      this.#readHead(firstLookMs),
    ]);
    const [objects, index] = must(places).split('\n');
    if (objects === undefined || index === undefined) throw new Error('git names no objects and index');
    this.#head = head;
    mkdirSync(join(this.#scratch, 'objects'), { recursive: true, mode: 0o700 });
    this.#index = resolve(this.#cwd, index);
    this.#environment = {
      GIT_INDEX_FILE: join(this.#scratch, 'index'),
      GIT_OBJECT_DIRECTORY: join(this.#scratch, 'objects'),
      GIT_ALTERNATE_OBJECT_DIRECTORIES: resolve(this.#cwd, objects),
    };
    this.#tree = await this.#readTree(firstLookMs);
  }

  async #readHead(timeoutMs: number): Promise<string | undefined> {
    const { code, stdout } = await this.#run(['rev-parse', '--quiet', '--verify', 'HEAD^{commit}'], timeoutMs);
    return code === 0 ? stdout.trim() : undefined;
  }

  /** From a copy of the person's index, which knows of most files that they have not changed. */
  async #readTree(timeoutMs: number): Promise<string> {
    const copy = this.#environment.GIT_INDEX_FILE ?? '';
    if (existsSync(this.#index)) copyFileSync(this.#index, copy, constants.COPYFILE_FICLONE);
    // One file that cannot be read is no reason to say nothing of the others.
    const added = await this.#run(['add', '--all', '--ignore-errors', '.'], timeoutMs);
    if (added.code !== 0 && added.code !== 1) throw new Error('git cannot add');
    return must(await this.#run(['write-tree'], timeoutMs)).trim();
  }

  async #files(tree: string, mask: (text: string) => string) {
    const files: JobChanges['files'] = [];
    const totals = { fileCount: 0, insertions: 0, deletions: 0 };
    const args = ['diff', '--numstat', '-z', '-M', '--no-ext-diff', this.#tree, tree];
    for (const { path, insertions, deletions } of parseNumstat(must(await this.#run(args, lastLookMs)))) {
      totals.fileCount++;
      totals.insertions += insertions ?? 0;
      totals.deletions += deletions ?? 0;
      if (files.length < maxFiles) files.push({ path: mask(path).slice(0, 4096), insertions, deletions });
    }
    return { files, ...totals };
  }

  async #commits(range: string, mask: (text: string) => string) {
    const [list, number] = await Promise.all([
      this.#run(['log', `--max-count=${maxCommits}`, '--format=%H %s', range, '--'], lastLookMs),
      this.#run(['rev-list', '--count', range, '--'], lastLookMs),
    ]);
    const commits = must(list)
      .split('\n')
      .filter((line) => line !== '')
      .map((line) => {
        const space = line.indexOf(' ');
        return { id: line.slice(0, space), subject: mask(line.slice(space + 1)).slice(0, 512) };
      });
    return { commits, commitCount: Number(must(number)) };
  }

  async #diff(tree: string, mask: (text: string) => string): Promise<{ bytes: Buffer; cut: boolean }> {
    const chunks: Buffer[] = [];
    let length = 0;
    await this.#git.run({
      args: ['diff', '--no-color', '--no-ext-diff', '--no-textconv', '-M', this.#tree, tree],
      cwd: this.#cwd,
      trust: 'local',
      timeoutMs: lastLookMs,
      environment: this.#environment,
      onOutput: (chunk) => {
        chunks.push(chunk);
        length += chunk.length;
        return length <= maxJobDiffBytes;
      },
    });
    // Masked before it is cut: half a secret would not be known.
    const masked = Buffer.from(mask(Buffer.concat(chunks).toString('utf8')));
    if (length <= maxJobDiffBytes && masked.length <= maxJobDiffBytes) return { bytes: masked, cut: false };
    const end = masked.lastIndexOf(0x0a, maxJobDiffBytes - 1) + 1;
    return { bytes: masked.subarray(0, end === 0 ? maxJobDiffBytes : end), cut: true };
  }

  #run(args: readonly string[], timeoutMs: number): Promise<GitResult> {
    return this.#git.run({ args, cwd: this.#cwd, trust: 'local', timeoutMs, environment: this.#environment });
  }
}

const noCommits = { commits: [], commitCount: 0 };

function must({ code, stdout, stderr }: GitResult): string {
  if (code !== 0) throw new Error(`git ended with ${code}: ${stderr}`);
  return stdout;
}

/** Of `git diff --numstat -z`: `1\t2\tpath\0`, and for a renamed one `1\t2\t\0before\0after\0`; `-` for what is no text. */
export function parseNumstat(text: string): { path: string; insertions: number | null; deletions: number | null }[] {
  const fields = text.split('\0');
  const found = [];
  for (let at = 0; at < fields.length; at++) {
    const match = /^(\d+|-)\t(\d+|-)\t(.*)$/s.exec(fields[at] ?? '');
    if (match === null) continue;
    const [, insertions = '', deletions = '', path = ''] = match;
    const name = path === '' ? (fields[at + 2] ?? '') : path;
    if (path === '') at += 2;
    found.push({ path: name, insertions: lines(insertions), deletions: lines(deletions) });
  }
  return found;
}

function lines(text: string): number | null {
  const number = Number.parseInt(text, 10);
  return Number.isNaN(number) ? null : number;
}
