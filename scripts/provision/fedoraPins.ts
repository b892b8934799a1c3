import { createHash } from 'node:crypto';

/** Build arguments of `docker/agent-job.Dockerfile`. */
export type Pins = Readonly<Record<string, string>>;

/** Where they are read from; exchanged in tests. */
export const pinSources = {
  registry: 'https://registry.fedoraproject.org',
  registryName: 'registry.fedoraproject.org',
  releases: 'https://github.com',
};

interface Release {
  /** Of its build arguments: `GUM` for `GUM_VERSION`. */
  readonly argument: string;
  readonly repository: string;
  /** By architecture as Docker calls it, what is fetched. */
  readonly assets: (version: string) => Readonly<Record<'amd64' | 'arm64', string>>;
}

const releases: readonly Release[] = [
  {
    argument: 'GUM',
    repository: 'charmbracelet/gum',
    assets: (version) => ({
      amd64: `gum_${version}_Linux_x86_64.tar.gz`,
      arm64: `gum_${version}_Linux_arm64.tar.gz`,
    }),
  },
  {
    argument: 'OH_MY_POSH',
    repository: 'JanDeDobbeleer/oh-my-posh',
    assets: () => ({ amd64: 'posh-linux-amd64', arm64: 'posh-linux-arm64' }),
  },
];

/**
 * Reads what the Dockerfile is pinned to, today's newest: Fedora's image by the digest its registry names, each release by
 * the checksum of what was really fetched, which must be the one its makers publish beside it.
 * @throws Error that says what did not answer, or does not match
 */
export async function readPins(sources = pinSources): Promise<Pins> {
  const pins: Record<string, string> = { FEDORA: await fedoraByDigest(sources) };
  for (const release of releases) Object.assign(pins, await pinRelease(release, sources.releases));
  return pins;
}

/** One `NAME=VALUE` a line, as `docker build --build-arg` takes it. */
export function pinsText(pins: Pins): string {
  return Object.entries(pins)
    .map(([name, value]) => `${name}=${value}\n`)
    .join('');
}

async function fedoraByDigest({ registry, registryName }: typeof pinSources): Promise<string> {
  const accept = 'application/vnd.oci.image.index.v1+json, application/vnd.docker.distribution.manifest.list.v2+json';
  const response = await get(`${registry}/v2/fedora/manifests/latest`, { headers: { accept } });
  const content = Buffer.from(await response.arrayBuffer());
  // A digest names the bytes themselves, so that of what came is right whatever the registry's header says.
  return `${registryName}/fedora@sha256:${sha256(content)}`;
}

async function pinRelease({ argument, repository, assets }: Release, host: string): Promise<Pins> {
  const latest = await get(`${host}/${repository}/releases/latest`);
  const version = /\/releases\/tag\/v([0-9][0-9.]*)$/.exec(new URL(latest.url).pathname)?.[1];
  if (version === undefined) throw new Error(`${repository}: the newest release is no v1.2.3, but ${latest.url}.`);
  const folder = `${host}/${repository}/releases/download/v${version}`;
  const published = await (await get(`${folder}/checksums.txt`)).text();
  const pins: Record<string, string> = { [`${argument}_VERSION`]: version };
  for (const [architecture, name] of Object.entries(assets(version))) {
    const found = sha256(Buffer.from(await (await get(`${folder}/${name}`)).arrayBuffer()));
    const line = published.split('\n').find((each) => each.trim().split(/\s+\*?/)[1] === name);
    if (line?.split(/\s/)[0] !== found) {
      throw new Error(`${name} of ${repository} has the SHA-256 ${found}; its makers say ${line ?? 'nothing of it'}.`);
    }
    pins[`${argument}_SHA256_${architecture.toUpperCase()}`] = found;
  }
  return pins;
}

async function get(url: string, init?: RequestInit): Promise<Response> {
  const response = await fetch(url, init).catch((cause: unknown) => {
    throw new Error(`${new URL(url).host} does not answer from here.`, { cause });
  });
  if (!response.ok) throw new Error(`${url} answers ${response.status}.`);
  return response;
}

function sha256(content: Uint8Array): string {
  return createHash('sha256').update(content).digest('hex');
}
