import { createHash } from 'node:crypto';
import {
  chmodSync,
  copyFileSync,
  cpSync,
  existsSync,
  linkSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { dirname, join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';

/**
 * Bundles boxd into `dist/boxd`: one script, the pinned Node for this architecture, node-pty's Linux parts, and the screen model. Nothing
 * of it depends on the box's image. Prints the content hash, which also names the bundle in `build.json`. Quick, and the
 * same result for the same sources.
 */
const root = dirname(dirname(fileURLToPath(import.meta.url)));
const modules = join(root, 'node_modules');
const target = join(root, 'dist', 'boxd');
/** Beside the script, because few boxes load them: as part of it their text would be in every boxd's memory. */
/** What git calls for a password; a program of its own, so it cannot be in the script. */
const askpass = join(root, 'boxd', 'git', 'askpass.sh');
const screenPackages = ['@xterm/headless', '@xterm/addon-serialize'];
const nodePackage = `node-linux-${process.arch}`;

async function main(): Promise<void> {
  mkdirSync(target, { recursive: true });
  const script = await bundle();
  const nodeVersion = versionOf(nodePackage);
  const packages = [...ptyFiles(), ...screenFiles()];
  const hash = createHash('sha256');
  // The Node binary by its version: package-lock.json pins its bytes, and hashing 120 MB here would take longer than all the rest.
  hash.update(`${nodePackage}@${nodeVersion}\0`).update(script).update(readFileSync(askpass));
  for (const path of packages) hash.update(`\0${path}\0`).update(readFileSync(join(modules, path)));
  const build = hash.digest('hex').slice(0, 32);

  const facts = `${JSON.stringify({ build, node: `${nodePackage}@${nodeVersion}` })}\n`;
  const factsPath = join(target, 'build.json');
  if (!existsSync(factsPath) || readFileSync(factsPath, 'utf8') !== facts) {
    // The facts go first and come back last: who finds them finds a whole bundle.
    rmSync(factsPath, { force: true });
    placeNode();
    placePackages(packages);
    writeFileSync(join(target, 'boxd.js'), script);
    copyFileSync(askpass, join(target, 'askpass.sh'));
    chmodSync(join(target, 'askpass.sh'), 0o755);
    writeFileSync(join(target, 'package.json'), '{ "type": "commonjs" }\n');
    writeFileSync(factsPath, facts);
  }
  console.log(build);
}

async function bundle(): Promise<Uint8Array> {
  const { outputFiles } = await build({
    entryPoints: [join(root, 'boxd', 'main.ts')],
    bundle: true,
    write: false,
    platform: 'node',
    target: 'node24',
    format: 'cjs',
    // Smaller source text to keep in memory; names stay, for stack traces that say something.
    minifyWhitespace: true,
    minifySyntax: true,
    external: ['node-pty', ...screenPackages, 'bufferutil', 'utf-8-validate'],
    define: { 'import.meta.url': 'spoonScriptUrl' },
    banner: { js: "const spoonScriptUrl=require('node:url').pathToFileURL(__filename).href;" },
    logLevel: 'warning',
  });
  const [output] = outputFiles;
  if (output === undefined) throw new Error('esbuild gave no output');
  return output.contents;
}

function versionOf(name: string): string {
  const { version } = JSON.parse(readFileSync(join(modules, name, 'package.json'), 'utf8')) as { version: string };
  return version;
}

/** Paths below node_modules, sorted: its scripts, and the prebuilt addons of both Linux architectures. */
function ptyFiles(): string[] {
  const folder = join(modules, 'node-pty');
  const files = ['lib', 'prebuilds/linux-x64', 'prebuilds/linux-arm64'].flatMap((part) =>
    readdirSync(join(folder, part), { recursive: true, withFileTypes: true })
      .filter((entry) => entry.isFile() && /\.(js|node)$/.test(entry.name) && !/windows|conpty|test/i.test(entry.name))
      .map((entry) => relative(folder, join(entry.parentPath, entry.name))),
  );
  return ['package.json', 'LICENSE', ...files].map((path) => join('node-pty', path)).sort();
}

function screenFiles(): string[] {
  return screenPackages.flatMap((name) => {
    const { main } = JSON.parse(readFileSync(join(modules, name, 'package.json'), 'utf8')) as { main: string };
    return [join(name, 'package.json'), join(name, main)];
  });
}

function placePackages(files: readonly string[]): void {
  const to = join(target, 'node_modules');
  rmSync(to, { recursive: true, force: true });
  for (const path of files) cpSync(join(modules, path), join(to, path));
}

/** A hard link where the file system allows, so that a build costs no 120 MB. */
function placeNode(): void {
  const from = join(modules, nodePackage, 'bin', 'node');
  const to = join(target, 'bin', 'node');
  if (existsSync(to) && isSameFile(from, to)) return;
  rmSync(to, { force: true });
  mkdirSync(dirname(to), { recursive: true });
  try {
    linkSync(from, to);
  } catch {
    copyFileSync(from, to);
  }
}

/** The same inode, or a copy made after it. */
function isSameFile(from: string, to: string): boolean {
  const [source, copy] = [statSync(from), statSync(to)];
  return source.ino === copy.ino || (source.size === copy.size && copy.mtimeMs >= source.mtimeMs);
}

await main();
