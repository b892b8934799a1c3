/** The part of `package-lock.json` (version 3) that this is about. */
export interface Lockfile {
  packages: Record<string, LockEntry>;
}

export interface LockEntry {
  readonly version?: string;
  readonly os?: readonly string[];
  readonly cpu?: readonly string[];
  readonly libc?: readonly string[];
  readonly license?: string;
  readonly dev?: boolean;
  readonly optional?: boolean;
  readonly optionalDependencies?: Readonly<Record<string, string>>;
}

/**
 * Binaries for other systems that a package names with an exact version and the lock file lacks: npm leaves out what its
 * registry did not have when the lock was written, and `npm ci` then refuses the whole file. Their checksums are not known
 * here and so are not given; npm adds them where it can fetch them.
 */
export function missingEntries({ packages }: Lockfile): Record<string, LockEntry> {
  const missing: Record<string, LockEntry> = {};
  for (const [parent, entry] of Object.entries(packages)) {
    for (const [name, version] of Object.entries(entry.optionalDependencies ?? {})) {
      const place = `node_modules/${name}`;
      const nested = `${parent}/${place}`;
      if (packages[place] !== undefined || packages[nested] !== undefined || !/^\d+\.\d+\.\d+/.test(version)) continue;
      missing[place] = {
        version,
        ...platformOf(name),
        ...(entry.dev === true ? { dev: true } : {}),
        ...(entry.license === undefined ? {} : { license: entry.license }),
        optional: true,
      };
    }
  }
  return missing;
}

/** From the name, which is how such packages are told apart: `core-linux-arm64-musl`. */
function platformOf(name: string): Pick<LockEntry, 'os' | 'cpu' | 'libc'> {
  const os = /\b(aix|android|darwin|freebsd|linux|netbsd|openbsd|openharmony|sunos|win32)\b/.exec(name)?.[1];
  const cpu = /\b(arm64|arm|x64|ia32|ppc64|riscv64|s390x|loong64|mips64el)\b/.exec(name)?.[1];
  if (os === undefined || cpu === undefined) throw new Error(`${name}: its name does not say which system it is for.`);
  const libc = /\b(gnu|musl)/.exec(name)?.[1];
  return { cpu: [cpu], ...(libc === undefined ? {} : { libc: [libc === 'gnu' ? 'glibc' : libc] }), os: [os] };
}
