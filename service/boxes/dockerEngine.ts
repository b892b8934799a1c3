import { cpus } from 'node:os';
import Docker from 'dockerode';
import { SpoonError } from '../../protocol/errors.ts';
import { seeLog } from './boxWords.ts';
import { boxName, containerOptions, instanceOf, labels } from './containerSpec.ts';
import { absentOk, cancellable, removeContainer } from './dockerCalls.ts';
import { DockerEgress, type DockerEgressOptions } from './dockerEgress.ts';
import { eraseInContainer } from './dockerEraseHome.ts';
import { dockerError, messageOf, statusOf } from './dockerErrors.ts';
import { dockerFacts } from './dockerFacts.ts';
import { checkImage, findFault } from './dockerImageProbe.ts';
import { DockerNetworks } from './dockerNetworks.ts';
import { usageOf } from './dockerUsage.ts';
import { DockerWatch } from './dockerWatch.ts';
import type { BoxSpec, BoxUsage, BoxWatcher, Engine, EngineBox, EngineFacts, ErasableHome } from './engine.ts';
import { InTurn } from './inTurn.ts';
import { rejectedBy } from './rejectedBy.ts';

/** Within this a Docker that is there answers; R6: a clear error within 2 s when it is not. */
const pingMs = 1_500;
/** For one call; a start on a loaded machine takes seconds. */
const callMs = 60_000;
const eraseMs = 15 * 60_000;
/** Asked for first; `security.md` section 3 has 4096 soft. */
const wantedOpenFiles = 65_536;
const leastOpenFiles = 4_096;
const maxTries = 5;

export interface DockerEngineOptions {
  /** `unix:///path`, as in `DOCKER_HOST`. */
  readonly host: string;
  /** The database's id; names and labels end in its first eight characters. */
  readonly instanceId: string;
  /** Paths of this process as Docker's host has them. */
  readonly hostPath?: (path: string) => string;
  readonly egress?: DockerEgressOptions;
  /** False for a service that is not root: it cannot give homes away (decision 17). */
  readonly separatesUsers: boolean;
}

/** Boxes as hardened containers. Never uses exec, the archive endpoints or anything privileged (`security.md` 0.3). */
export class DockerEngine implements Engine {
  readonly name = 'docker';
  readonly #options: DockerEngineOptions & Required<Pick<DockerEngineOptions, 'hostPath'>>;
  readonly #instance: string;
  readonly #docker: Docker;
  readonly #networks: DockerNetworks;
  readonly network: DockerEgress;
  readonly #turns = new InTurn();
  readonly #watch: DockerWatch;
  #maxOpenFiles = wantedOpenFiles;
  #cpus = cpus().length;

  constructor(options: DockerEngineOptions) {
    if (!options.host.startsWith('unix:///')) {
      throw new SpoonError(
        'config-invalid',
        `DOCKER_HOST is ${options.host}; Spoon reaches Docker by unix:///path only.`,
      );
    }
    this.#options = { hostPath: (path) => path, ...options };
    this.#instance = instanceOf(options.instanceId);
    this.#docker = new Docker({ socketPath: options.host.slice('unix://'.length) });
    this.#networks = new DockerNetworks(this.#docker, this.#instance);
    this.network = new DockerEgress({
      docker: this.#docker,
      networks: this.#networks,
      instance: this.#instance,
      options: options.egress ?? { gitHosts: [], dns: [], networkNamespace: undefined },
      hostPath: this.#options.hostPath,
    });
    this.#watch = new DockerWatch(this.#docker, this.#instance, (username) =>
      this.#turns.run(username, () => this.#clear(username)),
    );
  }

  async probe(): Promise<EngineFacts> {
    return this.#ask('engine-unavailable', pingMs, undefined, async (abortSignal) => {
      const [version, info] = await Promise.all([
        cancellable(this.#docker).version({ abortSignal }),
        cancellable(this.#docker).info({ abortSignal }),
      ]);
      this.#cpus = info.NCPU;
      const runc = version.Components?.find(({ Name }) => Name === 'runc');
      const facts = dockerFacts(
        {
          version: version.Version,
          runcVersion: runc?.Version,
          securityOptions: info.SecurityOptions ?? [],
          liveRestore: info.LiveRestoreEnabled,
          limits: { memory: info.MemoryLimit, swap: info.SwapLimit, pids: info.PidsLimit, cpu: info.CpuCfsQuota },
        },
        this.#options.separatesUsers,
      );
      return { ...facts, problems: [...facts.problems, ...this.network.problems()] };
    });
  }

  start(spec: BoxSpec, signal?: AbortSignal): Promise<EngineBox> {
    return this.#turns.run(spec.username, async () => {
      await this.#ping(signal);
      return this.#ask('box-start-failed', callMs, signal, async (abortSignal) => {
        for (let tries = 1; ; tries++) {
          const found = await this.#inspect(spec.username, abortSignal);
          if (found?.State.Running) return this.#known(found);
          try {
            if (found?.State.Status === 'created') return await this.#run(spec, found.Id, abortSignal);
            if (found !== undefined) {
              this.#watch.forget(found.Id);
              await removeContainer(this.#container(found.Id), abortSignal);
            }
            return await this.#create(spec, abortSignal);
          } catch (error) {
            // Another engine object won the race for the name: what it made is ours too.
            if (statusOf(error) === 409 && tries < maxTries) continue;
            // Also what Docker had begun when the caller gave up. Why it failed matters more than whether this works.
            await this.#clear(spec.username).catch(() => undefined);
            throw error;
          }
        }
      });
    });
  }

  stop(username: string, graceMs: number): Promise<void> {
    return this.#turns.run(username, async () => {
      await this.#ping();
      await this.#ask('box-unavailable', callMs + graceMs, undefined, async (abortSignal) => {
        const found = await this.#inspect(username, abortSignal);
        if (found !== undefined) {
          const forgotten = this.#watch.forget(found.Id);
          try {
            // Docker counts in seconds; 0 would be SIGKILL at once.
            const t = Math.max(1, Math.ceil(graceMs / 1000));
            if (found.State.Running) await absentOk(this.#container(found.Id).stop({ t, abortSignal }));
            await removeContainer(this.#container(found.Id), abortSignal);
          } catch (error) {
            if (forgotten) this.#watch.know(found.Id, username);
            throw error;
          }
        }
        await this.#networks.remove(username, abortSignal);
      });
    });
  }

  async wake(username: string): Promise<void> {
    const container = this.#container(boxName(username, this.#instance));
    // docker-init passes it on.
    const work = (abortSignal: AbortSignal) => absentOk(container.kill({ signal: 'SIGCONT', abortSignal }));
    await this.#ask('engine-unavailable', callMs, undefined, work);
  }

  async list(): Promise<EngineBox[]> {
    await this.#ping();
    return this.#ask('engine-unavailable', callMs, undefined, async (abortSignal) => {
      const filters = { label: [`${labels.instance}=${this.#instance}`] };
      const running = await this.#docker.listContainers({ filters, abortSignal });
      const inspected = await Promise.all(
        running.map(({ Id }) => absentOk(this.#container(Id).inspect({ abortSignal }))),
      );
      return inspected.flatMap((info) => (info?.State.Running ? [this.#known(info)] : []));
    });
  }

  async imageId(image: string): Promise<string | undefined> {
    const inspect = () => absentOk(this.#docker.getImage(image).inspect());
    return (await this.#ask('engine-unavailable', pingMs, undefined, inspect))?.Id;
  }

  imageFault(spec: BoxSpec): Promise<SpoonError | undefined> {
    const { hostPath } = this.#options;
    return this.#ask('engine-unavailable', callMs, undefined, () =>
      findFault(this.#docker, spec, hostPath(spec.boxdDir)),
    );
  }

  async eraseHome(home: ErasableHome): Promise<void> {
    const { hostPath } = this.#options;
    await this.#ping();
    await this.#ask('engine-unavailable', eraseMs, undefined, () =>
      eraseInContainer(this.#docker, `spoon-erase-${home.uid}-${this.#instance}`, {
        ...home,
        path: hostPath(home.path),
        boxdDir: hostPath(home.boxdDir),
      }),
    );
  }

  usage(username: string): Promise<BoxUsage | undefined> {
    const container = this.#container(boxName(username, this.#instance));
    return this.#ask('engine-unavailable', pingMs, undefined, () => usageOf(container));
  }

  watch(watcher: BoxWatcher): () => void {
    return this.#watch.add(watcher);
  }

  async close(): Promise<void> {
    await Promise.all([this.#watch.close(), this.network.close()]);
  }

  async #create(spec: BoxSpec, abortSignal: AbortSignal): Promise<EngineBox> {
    const needs = [checkImage(this.#docker, spec.image), this.network.open(spec, abortSignal)];
    // Both to their end before either counts: a network that comes after the clearing up would stay.
    await Promise.allSettled(needs);
    await Promise.all(needs);
    const options = containerOptions(spec, {
      instance: this.#instance,
      cpus: this.#cpus,
      maxOpenFiles: this.#maxOpenFiles,
      hostPath: this.#options.hostPath,
      dns: this.#options.egress?.dns ?? [],
    });
    const { id } = await this.#docker.createContainer({ ...options, abortSignal });
    return this.#run(spec, id, abortSignal);
  }

  async #run(spec: BoxSpec, id: string, abortSignal: AbortSignal): Promise<EngineBox> {
    const container = this.#container(id);
    this.#watch.know(id, spec.username);
    try {
      await container.start({ abortSignal });
      const info = await container.inspect({ abortSignal });
      if (info.State.Running) return this.#known(info);
      throw new SpoonError('box-start-failed', `boxd ended at once with code ${info.State.ExitCode}. ${seeLog}`, {
        cause: new Error(info.State.Error),
      });
    } catch (error) {
      this.#watch.forget(id);
      // With a signal of its own: the caller's may be the reason why we are here.
      const cleared = this.#clear(spec.username, id);
      if (/rlimit/.test(messageOf(error)) && this.#maxOpenFiles > leastOpenFiles) {
        await cleared;
        // The runtime refuses more than dockerd's own hard limit, and does not say what that is.
        this.#maxOpenFiles = Math.max(leastOpenFiles, Math.floor(this.#maxOpenFiles / 4));
        return this.#create(spec, abortSignal);
      }
      await cleared.catch(() => undefined);
      throw error;
    }
  }

  /** Removes what an ended box left. A container that runs is not touched, unless it is `containerId`. */
  async #clear(username: string, containerId?: string): Promise<void> {
    await this.#ask('engine-unavailable', callMs, undefined, async (abortSignal) => {
      const found = await this.#inspect(username, abortSignal);
      if (found?.State.Running && found.Id !== containerId) return;
      if (found !== undefined) await removeContainer(this.#container(found.Id), abortSignal);
      await this.#networks.remove(username, abortSignal);
    });
  }

  #inspect(username: string, abortSignal: AbortSignal): Promise<Docker.ContainerInspectInfo | undefined> {
    return absentOk(this.#container(boxName(username, this.#instance)).inspect({ abortSignal }));
  }

  #container(id: string): Docker.Container {
    return this.#docker.getContainer(id);
  }

  #known({ Id, Image, State, Config }: Docker.ContainerInspectInfo): EngineBox {
    const username = Config.Labels[labels.box] ?? '';
    this.#watch.know(Id, username);
    return {
      username,
      engineId: Id,
      imageId: Image,
      startedMs: Date.parse(State.StartedAt),
      specHash: Config.Labels[labels.spec] ?? '',
    };
  }

  /** Costs a millisecond, and is why a Docker that hangs is found out in 1.5 s and not in a minute. */
  async #ping(signal?: AbortSignal): Promise<void> {
    await this.#ask('engine-unavailable', pingMs, signal, (abortSignal) =>
      cancellable(this.#docker).ping({ abortSignal }),
    );
  }

  async #ask<T>(
    code: 'engine-unavailable' | 'box-start-failed' | 'box-unavailable',
    timeoutMs: number,
    signal: AbortSignal | undefined,
    work: (abortSignal: AbortSignal) => Promise<T>,
  ): Promise<T> {
    const timeout = AbortSignal.timeout(timeoutMs);
    const either = signal === undefined ? timeout : AbortSignal.any([signal, timeout]);
    try {
      // Raced too: not every call of dockerode can be cancelled, and none may hang.
      return await Promise.race([work(either), rejectedBy(either)]);
    } catch (error) {
      signal?.throwIfAborted();
      throw dockerError(timeout.aborted ? timeout.reason : error, code);
    }
  }
}
