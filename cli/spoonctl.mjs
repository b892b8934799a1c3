#!/usr/bin/env node
// Entry of spoonctl, on any Node from 18 on: goes over to the Node 24 that npm brought along where the running one is older.
// Plain JavaScript on purpose.
import { spawn } from 'node:child_process';
import { existsSync, readdirSync, realpathSync, renameSync, rmSync, statSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = dirname(dirname(realpathSync(fileURLToPath(import.meta.url))));
const source = join(root, 'cli', 'main.ts');
// Below dist, so that ../ is the root for it as for the source.
const bundle = join(root, 'dist', 'spoonctl.mjs');

/** One file starts in 0.15 s, the 500 modules behind the sources in 0.9 s: what a person feels with every command. */
async function entry() {
  const inputs = ['cli', 'client', 'protocol'].flatMap((folder) => filesIn(join(root, folder)));
  const newestMs = Math.max(0, ...[...inputs, join(root, 'package-lock.json')].map(modifiedMs));
  if (modifiedMs(bundle) >= newestMs) return bundle;
  const temporary = `${bundle}.${process.pid}`;
  try {
    const { build } = await import('esbuild');
    await build({
      entryPoints: [source],
      outfile: temporary,
      bundle: true,
      platform: 'node',
      format: 'esm',
      target: 'node24',
      logLevel: 'silent',
      banner: { js: "import { createRequire } from 'node:module'; const require = createRequire(import.meta.url);" },
    });
    renameSync(temporary, bundle);
    return bundle;
  } catch {
    // No esbuild, or a checkout that cannot be written: the sources do the same, only slower.
    rmSync(temporary, { force: true });
    return source;
  }
}

function filesIn(folder) {
  return existsSync(folder) ? readdirSync(folder, { recursive: true }).map((name) => join(folder, name)) : [];
}

function modifiedMs(file) {
  return statSync(file, { throwIfNoEntry: false })?.mtimeMs ?? 0;
}

if (Number.parseInt(process.versions.node, 10) >= 24) {
  await import(await entry());
} else {
  const node = join(root, 'node_modules', '.bin', 'node');
  if (!existsSync(node)) {
    process.stderr.write(
      `spoonctl: this is Node ${process.version} and Spoon needs 24. Run npm ci in ${root}, which brings it.\n`,
    );
    process.exit(1);
  }
  const child = spawn(node, [await entry(), ...process.argv.slice(2)], { stdio: 'inherit' });
  // The terminal sends Ctrl-C to the whole group; the child decides what it means.
  process.on('SIGINT', () => undefined);
  for (const signal of ['SIGTERM', 'SIGHUP', 'SIGQUIT']) process.on(signal, () => child.kill(signal));
  child.on('exit', (code, signal) => {
    if (signal === null) process.exit(code ?? 1);
    process.removeAllListeners(signal);
    process.kill(process.pid, signal);
  });
}
