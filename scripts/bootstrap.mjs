#!/usr/bin/env node
// What the README's commands start with, on any Node from 18 on (Debian's npm 9 too): installs the locked packages when they are missing or
// changed, then runs the given source with the Node 24 that npm brought along. Plain JavaScript on purpose.
import { spawn, spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const modules = join(root, 'node_modules');
const stamp = join(modules, '.spoon-lock');
const lockText = readFileSync(join(root, 'package-lock.json'));
const lock = JSON.parse(lockText.toString());
const lockHash = createHash('sha256').update(lockText).digest('hex');

function installPackages() {
  const installed = existsSync(stamp) ? readFileSync(stamp, 'utf8') : '';
  if (installed === lockHash) return;
  process.stderr.write('Installing packages (npm ci)…\n');
  runNpmCi();
  if (missingForThisMachine().length > 0) {
    process.stderr.write('npm left out what it could not fetch; once more…\n');
    runNpmCi();
  }
  const missing = missingForThisMachine();
  if (missing.length > 0) {
    process.stderr.write(`npm could not bring ${missing.join(', ')}; see its log. Nothing was started: try again.\n`);
    process.exit(1);
  }
  makeLink('spoonctl', '../../cli/spoonctl.mjs');
  // npm 9 makes none: the package for the other processor has a `node` too, and takes the name along when it is left out.
  const own = `node-${process.platform}-${process.arch}/bin/node`;
  if (existsSync(join(modules, own))) makeLink('node', `../${own}`);
  writeFileSync(stamp, lockHash);
}

function makeLink(name, target) {
  mkdirSync(join(modules, '.bin'), { recursive: true });
  const link = join(modules, '.bin', name);
  if (!existsSync(link)) symlinkSync(target, link);
}

function runNpmCi() {
  // No install scripts: every native part that Spoon needs ships prebuilt in its package.
  const npm = process.env.npm_execpath;
  const [command, args] = npm ? [process.execPath, [npm]] : ['npm', []];
  const done = spawnSync(command, [...args, 'ci', '--ignore-scripts', '--no-audit', '--no-fund', '--loglevel=error'], {
    cwd: root,
    stdio: ['ignore', process.stderr, process.stderr],
  });
  if (done.status !== 0) {
    process.stderr.write('npm ci failed; see above. Nothing was started.\n');
    process.exit(done.status ?? 1);
  }
}

/**
 * Packages with binaries for one system are optional to npm: one that it cannot fetch it leaves out without a word, and so it
 * does, rightly, with one that wants a newer Node than it runs on.
 */
function missingForThisMachine() {
  const ownMajor = Number.parseInt(process.versions.node, 10);
  const leastMajor = (engines) => Number(/\d+/.exec(engines?.node ?? '')?.[0] ?? 0);
  const fits = (list, value) => list === undefined || [list].flat().includes(value);
  return Object.entries(lock.packages)
    .filter(([, { optional, os, cpu, libc, engines }]) => {
      const isForOneSystem = optional === true && (os !== undefined || cpu !== undefined);
      return (
        isForOneSystem &&
        leastMajor(engines) <= ownMajor &&
        fits(os, process.platform) &&
        fits(cpu, process.arch) &&
        fits(libc, 'glibc')
      );
    })
    .map(([folder]) => folder)
    .filter((folder) => !existsSync(join(root, folder)))
    .map((folder) => folder.replace(/^.*node_modules\//, ''));
}

function node24() {
  const pinned = join(modules, '.bin', 'node');
  if (existsSync(pinned)) return pinned;
  if (Number.parseInt(process.versions.node, 10) >= 24) return process.execPath;
  process.stderr.write(
    `Spoon needs Node 24 or newer; this is ${process.version} and npm has none for ${process.platform}-${process.arch}.\n`,
  );
  process.exit(1);
}

installPackages();
const [script, ...args] = process.argv.slice(2);
const node = node24();
const child = spawn(node, [script, ...args], {
  cwd: root,
  stdio: 'inherit',
  env: { ...process.env, PATH: `${join(modules, '.bin')}:${process.env.PATH}` },
});
// The child decides how to end, this process only waits for it. A Ctrl-C in a terminal reaches it twice, from there and
// from here; one that was sent to this process alone reaches it too.
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.on(signal, () => child.kill(signal));
child.on('exit', (code, signal) => process.exit(code ?? (signal === 'SIGINT' ? 130 : 143)));
