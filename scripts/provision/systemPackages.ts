import { constants } from 'node:fs';
import { access, rm, writeFile } from 'node:fs/promises';
import { delimiter, join } from 'node:path';
import { mustRun } from '../runCommand.ts';

export interface Need {
  /** A program to be found by name, or a file by absolute path. */
  readonly file: string;
  /** The Debian package that has it. */
  readonly debianPackage: string;
}

/** sbin is not on the PATH of every account, but root may run what is there. */
const folders = [...(process.env.PATH ?? '').split(delimiter), '/usr/local/sbin', '/usr/sbin', '/sbin'];

/** @returns the absolute path, or undefined where there is no such program */
export async function findProgram(file: string): Promise<string | undefined> {
  const candidates = file.startsWith('/') ? [file] : folders.map((folder) => join(folder, file));
  for (const candidate of candidates) {
    const runnable = await access(candidate, file.startsWith('/') ? constants.R_OK : constants.X_OK).then(
      () => true,
      () => false,
    );
    if (runnable) return candidate;
  }
  return undefined;
}

/**
 * Makes sure that the programs are there: installs what is missing where that is allowed (root, with apt-get).
 * @throws Error that names what is missing and the command that brings it
 */
export async function ensurePrograms(needs: readonly Need[], say: (text: string) => void): Promise<void> {
  const missing = await missingOf(needs);
  if (missing.length === 0) return;
  const packages = [...new Set(missing.map(({ debianPackage }) => debianPackage))].join(' ');
  const names = missing.map(({ file }) => file).join(', ');
  const apt = await findProgram('apt-get');
  if (process.getuid?.() !== 0 || apt === undefined) {
    const how = apt === undefined ? `the packages that Debian calls ${packages}` : `sudo apt-get install ${packages}`;
    throw new Error(`Missing on this machine: ${names}. To bring it: ${how}.`);
  }
  say(`Installing ${packages} (apt-get)…`);
  await withoutServiceStarts(async () => {
    await mustRun(apt, ['update', '-qq']);
    const env = { ...process.env, DEBIAN_FRONTEND: 'noninteractive' };
    await mustRun(apt, ['install', '-y', '-qq', '--no-install-recommends', ...packages.split(' ')], { env });
  });
  const still = await missingOf(needs);
  if (still.length > 0)
    throw new Error(`Still missing after installing ${packages}: ${still.map(({ file }) => file)}.`);
}

async function missingOf(needs: readonly Need[]): Promise<Need[]> {
  const found = await Promise.all(needs.map(({ file }) => findProgram(file)));
  return needs.filter((_, index) => found[index] === undefined);
}

/** Debian starts a service when its package is installed, unless this policy says no (invoke-rc.d(8)): nobody asked for a system-wide dockerd. */
async function withoutServiceStarts(work: () => Promise<void>): Promise<void> {
  const policy = '/usr/sbin/policy-rc.d';
  const made = await writeFile(policy, '#!/bin/sh\nexit 101\n', { mode: 0o755, flag: 'wx' }).then(
    () => true,
    () => false,
  );
  try {
    await work();
  } finally {
    if (made) await rm(policy);
  }
}
