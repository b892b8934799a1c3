import type Docker from 'dockerode';
import { SpoonError } from '../../protocol/errors.ts';
import { labels, networkName, networkOptions } from './containerSpec.ts';
import { messageOf, statusOf } from './dockerErrors.ts';
import type { BoxSpec } from './engine.ts';
import { freeSubnets } from './subnets.ts';

const maxTries = 32;

/**
 * One bridge per user (`security.md` 0.4): on a shared one, Docker's name server would tell boxes about each other even
 * with traffic between them off.
 */
export class DockerNetworks {
  readonly #docker: Docker;
  readonly #instance: string;

  constructor(docker: Docker, instance: string) {
    this.#docker = docker;
    this.#instance = instance;
  }

  /**
   * Makes the user's network, or finds it.
   * @returns its subnet
   * @throws what Docker throws; SpoonError `box-start-failed` without a free subnet
   */
  async ensure(spec: Pick<BoxSpec, 'username' | 'userId'>, abortSignal: AbortSignal): Promise<string> {
    const networks = await this.#docker.listNetworks({ abortSignal });
    const subnetsOf = ({ IPAM }: Docker.NetworkInspectInfo): string[] =>
      (IPAM?.Config ?? []).flatMap(({ Subnet }) => Subnet ?? []);
    const found = networks.find(
      ({ Name, Labels }) => Name === networkName(spec.username, this.#instance) && this.#isOurs(Labels),
    );
    const known = found === undefined ? undefined : subnetsOf(found)[0];
    if (known !== undefined) return known;
    const taken = networks.flatMap(subnetsOf);
    const free = freeSubnets(taken, spec.username + this.#instance);
    for (const subnet of free.take(maxTries)) {
      try {
        await this.#docker.createNetwork({ ...networkOptions(spec, this.#instance, subnet), abortSignal });
        return subnet;
      } catch (error) {
        // Somebody else took it since: another service on the same Docker.
        if (!/overlap|conflict|already (exists|in use)/i.test(messageOf(error))) throw error;
      }
    }
    throw new SpoonError('box-start-failed', 'No free network is left in 10.201.0.0/16. Stop boxes that nobody uses.');
  }

  async remove(username: string, abortSignal: AbortSignal): Promise<void> {
    try {
      await this.#docker.getNetwork(networkName(username, this.#instance)).remove({ abortSignal });
    } catch (error) {
      if (statusOf(error) !== 404) throw error;
    }
  }

  /** The users whose network exists. */
  async usernames(abortSignal: AbortSignal): Promise<string[]> {
    const networks = await this.#docker.listNetworks({
      filters: { label: [`${labels.instance}=${this.#instance}`] },
      abortSignal,
    });
    return networks.flatMap(({ Labels }) => Labels?.[labels.box] ?? []);
  }

  #isOurs(found: Record<string, string> | undefined): boolean {
    return found?.[labels.instance] === this.#instance;
  }
}
