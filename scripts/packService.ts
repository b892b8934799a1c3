// `node scripts/packService.ts [folder]`: lays into the folder, by default dist/service, what a machine or an image needs to run
// the service and spoonctl, in bundles that need no packages, with the Node they run on. It runs from any place;
// docker/service.Dockerfile copies it.
import { chmodSync, copyFileSync, cpSync, linkSync, mkdirSync, readdirSync, renameSync, rmSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { build } from 'esbuild';
import { lighterStart } from './lighterStart.ts';
import { mustRun } from './runCommand.ts';

const root = dirname(import.meta.dirname);
const target = resolve(process.argv[2] ?? join(root, 'dist', 'service'));

/** What a module of CommonJS expects around it. */
const banner = `import { createRequire as spoonRequire } from 'node:module';
import { fileURLToPath as spoonFile } from 'node:url';
const require = spoonRequire(import.meta.url);
const __filename = spoonFile(import.meta.url);
const __dirname = spoonFile(new URL('.', import.meta.url));`;

async function main(): Promise<void> {
  await mustRun(process.execPath, [join(root, 'scripts', 'buildBoxd.ts')], { cwd: root });
  // Its first run makes the bundle.
  await mustRun(process.execPath, [join(root, 'cli', 'spoonctl.mjs'), '--version'], { cwd: root });
  const making = `${target}.${process.pid}`;
  try {
    await build({
      entryPoints: {
        main: join(root, 'service', 'main.ts'),
        backupMain: join(root, 'service', 'backupMain.ts'),
        checkpointWorker: join(root, 'service', 'store', 'checkpointWorker.ts'),
        snapshotWorker: join(root, 'service', 'store', 'snapshotWorker.ts'),
      },
      // Where the source is, too: what is beside the folder is found by paths relative to it.
      outdir: join(making, 'service'),
      outExtension: { '.js': '.mjs' },
      bundle: true,
      platform: 'node',
      format: 'esm',
      target: 'node24',
      minifyWhitespace: true,
      minifySyntax: true,
      plugins: [lighterStart],
      external: ['*.node'],
      banner: { js: banner },
      logLevel: 'warning',
    });
    for (const path of ['package.json', 'LICENSE', 'dist/spoonctl.mjs']) copy(path, join(making, path));
    for (const name of readdirSync(join(root, 'service', 'adminPage')).filter((file) => !file.endsWith('.json'))) {
      copy(join('service', 'adminPage', name), join(making, 'service', 'adminPage', name));
    }
    layFolder(join(root, 'dist', 'boxd'), join(making, 'dist', 'boxd'));
    const commands = join(root, 'docker', 'service');
    for (const name of readdirSync(commands)) {
      copy(join('docker', 'service', name), join(making, 'bin', name));
      chmodSync(join(making, 'bin', name), 0o755);
    }
    rmSync(target, { recursive: true, force: true });
    renameSync(making, target);
  } finally {
    rmSync(making, { recursive: true, force: true });
  }
  console.log(target);
}

function copy(path: string, to: string): void {
  mkdirSync(dirname(to), { recursive: true });
  cpSync(join(root, path), to);
}

/** By hard links where that is possible: its Node has 120 MB. */
function layFolder(from: string, to: string): void {
  mkdirSync(to, { recursive: true });
  for (const entry of readdirSync(from, { withFileTypes: true })) {
    const [source, copied] = [join(from, entry.name), join(to, entry.name)];
    if (entry.isDirectory()) layFolder(source, copied);
    else linkOrCopy(source, copied);
  }
}

function linkOrCopy(from: string, to: string): void {
  try {
    linkSync(from, to);
  } catch {
    copyFileSync(from, to);
  }
}

await main();
