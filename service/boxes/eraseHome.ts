import { spawn } from 'node:child_process';
import { text } from 'node:stream/consumers';
import { SpoonError } from '../../protocol/errors.ts';
import type { ErasableHome } from './engine.ts';

/**
 * Empties a home with its user's own rights and nothing else, so that whatever the user left in it can lead nowhere
 * (`security.md` 0.1). Folders are moved up before they are emptied: no path gets longer than two names, however deep they
 * were, and no name has to be text. Names are read a few at a time: how many there are, its user has chosen.
 */
const script = `
const fs = require('node:fs');
const [uid, gid, mark] = process.argv.slice(1);
if (process.getuid() === 0 && Number(uid) !== 0) {
  process.setgroups([]);
  process.setgid(Number(gid));
  process.setuid(Number(uid));
}
const below = (...parts) => Buffer.concat(parts.flatMap((part) => [part, Buffer.from('/')]).slice(0, -1));
// Again until nothing is found: a folder that is changed while it is read may leave some out.
const empty = (path, moveUp) => {
  for (let found = 1; found > 0; ) {
    found = 0;
    const dir = fs.opendirSync(path, { encoding: 'buffer', bufferSize: 256 });
    for (let entry = dir.readSync(); entry !== null; entry = dir.readSync()) {
      found++;
      const inner = below(path, entry.name);
      if (!entry.isDirectory()) { fs.unlinkSync(inner); continue; }
      fs.chmodSync(inner, 0o700);
      moveUp(inner);
    }
    dir.closeSync();
  }
};
const top = Buffer.from('.');
let moved = 0;
empty(top, (folder) => {
  empty(folder, (inner) => fs.renameSync(inner, below(top, Buffer.from(mark + moved++))));
  fs.rmdirSync(folder);
});
`;

/** @throws SpoonError `home-not-writable` with what is in the way */
export async function eraseAsProcess({ path, uid, gid }: ErasableHome): Promise<void> {
  // From within its folder: those above may be closed to its user. The environment could tell Node to load something.
  const child = spawn(process.execPath, eraseArguments(uid, gid), {
    cwd: path,
    env: {},
    stdio: ['ignore', 'ignore', 'pipe'],
  });
  const exited = new Promise<number | null>((resolve, reject) => {
    child.on('error', reject);
    child.on('exit', resolve);
  });
  const [said, code] = await Promise.all([text(child.stderr), exited]);
  if (code !== 0) throw eraseRefusal(uid, said);
}

/** For Node, which runs in the home. */
export function eraseArguments(uid: number, gid: number): string[] {
  // Nobody can have made a file of this name on purpose.
  return ['-e', script, '--', String(uid), String(gid), `.spoon-removed-${crypto.randomUUID()}-`];
}

/** @param said by the one that tried, for the log */
export function eraseRefusal(uid: number, said: string): SpoonError {
  const cause = new Error(said.slice(0, 2000));
  return new SpoonError('home-not-writable', `The home of uid ${uid} could not be emptied.`, { cause });
}
