// After `npm install NAME`: adds to package-lock.json the binaries of other systems that the registry at hand lacked.
import { readFile, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { type Lockfile, missingEntries } from './lockfile/missingEntries.ts';

const file = join(dirname(import.meta.dirname), 'package-lock.json');
const lock = JSON.parse(await readFile(file, 'utf8')) as Lockfile;
const missing = missingEntries(lock);
const [project, ...others] = Object.entries({ ...lock.packages, ...missing });
if (project === undefined) throw new Error(`${file} is empty.`);
lock.packages = Object.fromEntries([project, ...others.sort(([a], [b]) => a.localeCompare(b, 'en'))]);
await writeFile(file, `${JSON.stringify(lock, undefined, 2)}\n`);
console.log(`${Object.keys(missing).length} entries added.`);
