import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { cp, mkdir, mkdtemp, readdir, readFile, rename, rm, stat } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import type Docker from 'dockerode';
import { mustRun } from '../runCommand.ts';
import { cacheFolder } from './cacheFolder.ts';
import { ensureMmdebstrap, runMmdebstrap } from './mmdebstrap.ts';
import { readTools } from './tools.ts';

const dockerFolder = join(dirname(dirname(import.meta.dirname)), 'docker');
const suite = 'bookworm';
/** Raise when what is done below changes what comes out. */
const revision = 4;

/** Translations and manuals in languages other than that of a C.UTF-8 box: a tenth of the image. */
const leftOut = ['/usr/share/locale/*', '/usr/share/man/??/*', '/usr/share/man/??_*/*'];

/** Beside C.UTF-8, which every box starts with: for who sets LANG to what they are used to. */
const locales = ['en_GB', 'en_US'];

/** An image tarball is a gigabyte: the current one and the one before are kept. */
const keptTarballs = 2;

/**
 * The box image on Debian: made with mmdebstrap from `docker/tools.json` and `docker/rootfs`, imported into the engine.
 * Made once per content; the tarball is kept, so that another engine needs the import only.
 * @returns the image's name, `spoon-box:<hash of all that goes in>`
 * @throws Error that names what the machine lacks, or carries the end of what mmdebstrap said
 */
export async function ensureDebianImage(docker: Docker, say: (text: string) => void): Promise<string> {
  const found = await findDebianImage(docker);
  if (found !== undefined) return found;
  const hash = await inputsHash();
  const tag = tagOf(hash);
  const tarball = await ensureTarball(hash, say);
  say(`Importing the box image ${tag}…`);
  const stream = await docker.importImage(createReadStream(tarball), {
    repo: 'spoon-box',
    tag: hash,
    changes: [
      'ENV LANG=C.UTF-8',
      'ENV PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin',
      'CMD ["/bin/bash", "-l"]',
      'LABEL org.opencontainers.image.title="Spoon box (Debian)"',
      'LABEL org.opencontainers.image.description="Shells, git, an editor and the tools people expect in a terminal"',
      'LABEL org.opencontainers.image.licenses="MIT"',
      `LABEL org.opencontainers.image.version="${hash}"`,
      `LABEL org.opencontainers.image.base.name="debian:${suite}"`,
    ],
  });
  await new Promise<void>((resolve, reject) => {
    docker.modem.followProgress(stream, (error: Error | null) => (error === null ? resolve() : reject(error)));
  });
  return tag;
}

/** @returns the image's name if this engine has it */
export async function findDebianImage(docker: Docker): Promise<string | undefined> {
  const tag = tagOf(await inputsHash());
  return (await docker.listImages({ filters: { reference: [tag] } })).length > 0 ? tag : undefined;
}

/** Leaves the newest two in an engine that is ours alone: each is a gigabyte, and checkouts of two ages take turns. */
export async function removeOldImages(docker: Docker): Promise<void> {
  const images = await docker.listImages({ filters: { reference: ['spoon-box:*'] } });
  images.sort((a, b) => b.Created - a.Created);
  for (const { Id } of images.slice(2)) await docker.getImage(Id).remove({ force: true });
}

function tagOf(hash: string): string {
  return `spoon-box:${hash}`;
}

async function inputsHash(): Promise<string> {
  const hash = createHash('sha256').update(`${suite} ${revision} ${leftOut} ${locales}\0`);
  const tools = await readTools(dockerFolder);
  // Only what Debian's image is made of: a change of the Fedora column builds nothing anew.
  for (const { command, debian, debianCommand, npm } of tools) {
    hash.update(`${command} ${debian} ${debianCommand} ${npm}\0`);
  }
  for (const folder of ['rootfs', 'npm']) {
    const entries = await readdir(join(dockerFolder, folder), { recursive: true, withFileTypes: true });
    const files = entries.filter((entry) => entry.isFile()).map((entry) => join(entry.parentPath, entry.name));
    for (const file of files.sort()) {
      const { mode } = await stat(file);
      hash.update(`${file.slice(dockerFolder.length)} ${mode & 0o111}\0`).update(await readFile(file));
    }
  }
  return hash.digest('hex').slice(0, 12);
}

async function ensureTarball(hash: string, say: (text: string) => void): Promise<string> {
  const folder = join(cacheFolder(), 'images');
  const tarball = join(folder, `spoon-box-${hash}.tar`);
  const known = await stat(tarball).catch(() => undefined);
  if (known !== undefined) return tarball;
  await ensureMmdebstrap(say);
  await mkdir(folder, { recursive: true });
  await removeAbandoned(folder);
  const work = await mkdtemp(join(folder, 'making-'));
  try {
    say('Making the box image from Debian packages (mmdebstrap; once, about a minute and a half)…');
    await build(work, join(work, 'image.tar'), say);
    await rename(join(work, 'image.tar'), tarball);
  } finally {
    await rm(work, { recursive: true, force: true });
  }
  await removeOldTarballs(folder);
  return tarball;
}

async function build(work: string, target: string, say: (text: string) => void): Promise<void> {
  const tools = await readTools(dockerFolder);
  const packages = tools.flatMap(({ debian }) => debian ?? []);
  const links = tools.filter(({ command, debianCommand }) => debianCommand !== undefined && debianCommand !== command);
  const rootfs = join(work, 'rootfs.tar');
  const programs = await installFromNpm(work, say);
  // Owners and modes as in an image, whatever umask the checkout was made with.
  const plain = ['--owner=0', '--group=0', '--mode=u=rwX,go=rX', '--mtime=@0', '--sort=name'];
  await mustRun('tar', [...plain, '-cf', rootfs, '-C', join(dockerFolder, 'rootfs'), 'etc']);
  await mustRun('tar', [...plain, '-rf', rootfs, '--transform', 's,^\\.,usr/local/lib/spoon,S', '-C', programs, '.']);
  const hooks = [
    ...links.map(({ command, debianCommand }) => `ln -s "/usr/bin/${debianCommand}" "$1/usr/local/bin/${command}"`),
    `tar-in "${rootfs}" /`,
    `sh "$1/usr/local/lib/spoon/link-programs.sh" "$1"`,
    ...locales.map((locale) => `chroot "$1" localedef -i ${locale} -f UTF-8 ${locale}.UTF-8`),
    // bash knows who it is: Debian's /etc/profile starts a program for that at each login, a tenth of a shell's start.
    `sed -i 's/$(id -u)/\${EUID:-$(id -u)}/' "$1/etc/profile"`,
    // What the files in rootfs read instead of asking for it at each start of a shell.
    `for shell in bash zsh fish; do chroot "$1" zoxide init "$shell" > "$1/etc/spoon/shell/zoxide.$shell" || exit 1; done`,
    // spoon.sh reads it at the first Tab.
    'rm -f "$1/etc/profile.d/bash_completion.sh"',
    // Debian's bash and zsh read profile.d in login shells only, or not at all.
    `for rc in bash.bashrc zsh/zshrc; do echo '. /etc/profile.d/spoon.sh' >> "$1/etc/$rc"; done`,
    // The questionnaire that zsh starts where a home has no .zshrc of its own (zsh/newuser looks right after zshenv).
    `echo 'zsh-newuser-install() { :; }' >> "$1/etc/zsh/zshenv"`,
    'rm -f "$1/etc/hostname" "$1/etc/resolv.conf"',
    // A box cannot gain rights (no-new-privileges); what would try is left without the bit.
    'find "$1" -xdev -perm /6000 -type f -exec chmod ug-s {} +',
  ];
  const args = [
    ...['--variant=minbase', '--dpkgopt=force-unsafe-io', `--include=${packages.join(',')}`],
    ...leftOut.map((pattern) => `--dpkgopt=path-exclude=${pattern}`),
    ...hooks.map((hook) => `--customize-hook=${hook}`),
    ...[suite, target],
  ];
  await runMmdebstrap(work, args, (line) => {
    if (/^I: (downloading|extracting|installing|creating)/.test(line)) say(`  ${line.slice(3)}`);
  });
}

/** What `docker/npm` names, at the versions and with the checksums of its lock file. @returns the folder it is in */
async function installFromNpm(work: string, say: (text: string) => void): Promise<string> {
  const folder = join(work, 'npm');
  say('  installing codex and npm from npm');
  await cp(join(dockerFolder, 'npm'), folder, { recursive: true });
  await mustRun('npm', ['ci', '--ignore-scripts', '--no-audit', '--no-fund', '--omit=dev'], { cwd: folder });
  return folder;
}

/** What a run that was killed on the way has left; one that takes a day is none. */
async function removeAbandoned(folder: string): Promise<void> {
  const dayMs = 24 * 60 * 60 * 1000;
  for (const name of await readdir(folder)) {
    const abandoned = name.startsWith('making-') && Date.now() - (await stat(join(folder, name))).mtimeMs > dayMs;
    if (abandoned) await rm(join(folder, name), { recursive: true, force: true });
  }
}

async function removeOldTarballs(folder: string): Promise<void> {
  const files = (await readdir(folder)).filter((name) => /^spoon-box-.*\.tar$/.test(name));
  const aged = await Promise.all(
    files.map(async (name) => ({ name, madeMs: (await stat(join(folder, name))).mtimeMs })),
  );
  aged.sort((a, b) => b.madeMs - a.madeMs);
  for (const { name } of aged.slice(keptTarballs)) await rm(join(folder, name), { force: true });
}
