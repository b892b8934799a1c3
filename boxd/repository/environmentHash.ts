import { existsSync } from 'node:fs';
import { repositoryFolder } from '../../protocol/setupScript.ts';
import { sha256 } from '../home/homeFiles.ts';
import { type FoundSetup, findSetup } from './findSetup.ts';
import type { RunRequest } from './runRequest.ts';
import { readSpoonFile, writeSpoonFile } from './spoonFiles.ts';

export const hashFile = 'env-hash';
/** Raised when a setup must run again though nothing that it depends on has changed. */
const format = 1;

/** Everything that decides what a setup does (design section 6): another value, another run. */
export function environmentHash(request: RunRequest, commit: string, setup: FoundSetup): string {
  const { url, setup: asked, manager, image, submodules, lfs } = request;
  const script = setup.kind === 'script' ? [setup.script.path, setup.script.sha256] : null;
  // Left out where both are off, as they were before there were any.
  const extras = submodules || lfs ? [{ submodules, lfs }] : [];
  return sha256(Buffer.from(JSON.stringify([format, url, commit, asked, manager, script, image, ...extras])));
}

/** The last setup that ended well was this one, and what it ran on is still there. */
export function isSetUp(home: string, request: RunRequest): boolean {
  if (request.commit === null || !existsSync(`${home}/${repositoryFolder}/.git`)) return false;
  const hash = environmentHash(request, request.commit, findSetup(`${home}/${repositoryFolder}`, request.setup));
  return readSpoonFile(home, hashFile)?.trim() === hash;
}

/** Only after a setup that ended with 0. @throws SpoonError `insufficient-storage`, `home-not-writable`, … */
export function writeHash(home: string, hash: string): void {
  writeSpoonFile(home, hashFile, `${hash}\n`);
}
