import { readdir } from 'node:fs/promises';
import { networkInterfaces } from 'node:os';
import type Docker from 'dockerode';
import {
  bridgePrefix,
  type EgressPlan,
  type EgressReport,
  egressScript,
  removeEgressScript,
} from '../../protocol/egress.ts';
import { networkName } from './containerSpec.ts';
import type { DockerNetworks } from './dockerNetworks.ts';
import { reachedFromBox, type Target } from './dockerProbe.ts';
import { type EgressSettings, planEgress } from './egressPlan.ts';
import type { BoxNetwork, BoxSpec } from './engine.ts';
import { InTurn } from './inTurn.ts';
import { runScript } from './runScript.ts';
import { gatewayOf } from './subnets.ts';

export interface DockerEgressOptions extends EgressSettings {
  /** Of Docker, where the service is in another one. */
  readonly networkNamespace: string | undefined;
}

interface Parts {
  readonly docker: Docker;
  readonly networks: DockerNetworks;
  readonly instance: string;
  readonly options: DockerEgressOptions;
  /** A path of this process as Docker's host has it. */
  readonly hostPath: (path: string) => string;
}

const againMs = 60_000;
const checkMs = 60_000;
/** No username has a dot. */
const checkName = 'network.check';
/** Any will do: also a port where nothing listens answers that it is closed. */
const port = 3921;
/** Metadata of clouds, and a place in each range that is not the internet. */
const neverReached = [
  ...['169.254.169.254', '100.100.100.200', '168.63.129.16', '10.0.0.1', '10.255.255.254', '100.64.0.1'],
  ...['172.16.0.1', '172.17.0.1', '172.31.255.254', '192.168.0.1', '192.168.1.1', '192.168.255.254', '198.18.0.1'],
];

/** Keeps boxes off this machine and its network, and tries from a box whether that holds (`security.md` 0.4, decision 11). */
export class DockerEgress implements BoxNetwork {
  readonly #parts: Parts;
  readonly #turns = new InTurn();
  readonly #closing = new AbortController();
  #plan: EgressPlan;
  #failure: string | null = null;
  #setAtMs = Number.NEGATIVE_INFINITY;
  #checked: Pick<EgressReport, 'checkedMs' | 'reached' | 'untried'> = { checkedMs: null, reached: [], untried: null };
  #box: Pick<BoxSpec, 'image' | 'boxdDir'> | undefined;
  #timer: NodeJS.Timeout | undefined;

  constructor(parts: Parts) {
    this.#parts = parts;
    this.#plan = { instance: parts.instance, open: [], resolvers: [] };
  }

  watch(box: Pick<BoxSpec, 'image' | 'boxdDir'>, onChange: () => void): Promise<void> {
    this.#box = box;
    const check = async (): Promise<void> => {
      if (this.#closing.signal.aborted) return;
      const before = this.problems().join();
      await this.check();
      if (this.problems().join() !== before) onChange();
    };
    this.#timer = setInterval(() => void this.#again(check), againMs).unref();
    return check();
  }

  report(): EgressReport {
    return { plan: this.#plan, failure: this.#failure, ...this.#checked };
  }

  problems(): string[] {
    const { reached, untried } = this.#checked;
    if (untried !== null) return [`Whether boxes are kept off this machine's network could not be tried: ${untried}`];
    if (reached.length === 0) return [];
    const what = `Boxes can reach this machine or its network (${reached.join(', ')})`;
    if (this.#failure === null) return [`${what} in spite of the firewall rules: another rule lets them through.`];
    return [`${what}, for no firewall rules could be set: ${this.#failure}. As root: spoonctl admin network apply`];
  }

  /**
   * The user's network, and the rules that hold for it: after its bridge, by which Docker's place is known, and before the box.
   * Without rules a box starts all the same; what went wrong is in the report.
   */
  async open(owner: Pick<BoxSpec, 'username' | 'userId'>, abortSignal: AbortSignal): Promise<string> {
    const subnet = await this.#parts.networks.ensure(owner, abortSignal);
    await this.#turns.run('rules', async () => {
      if (performance.now() - this.#setAtMs > againMs) await this.#set();
    });
    return subnet;
  }

  async check(): Promise<EgressReport> {
    await this.#turns.run('check', async () => {
      const abortSignal = AbortSignal.any([this.#closing.signal, AbortSignal.timeout(checkMs)]);
      try {
        const reached = await this.#try(abortSignal);
        this.#checked = { checkedMs: Date.now(), reached, untried: null };
      } catch (error) {
        if (this.#closing.signal.aborted) return;
        const untried = error instanceof Error ? error.message : String(error);
        this.#checked = { checkedMs: Date.now(), reached: [], untried };
      }
    });
    return this.report();
  }

  /** Rules stay for as long as there is a network of a box, which the service does not take with it. */
  async close(): Promise<void> {
    this.#closing.abort();
    clearInterval(this.#timer);
    await this.#turns.run('check', async () => undefined);
    await this.#turns.run('rules', async () => {
      if (this.#setAtMs === Number.NEGATIVE_INFINITY) return;
      const left = await this.#parts.networks.usernames(AbortSignal.timeout(checkMs)).catch(() => undefined);
      if (left?.length !== 0) return;
      await runScript(removeEgressScript(this.#parts.instance), this.#parts.options.networkNamespace);
    });
  }

  async #again(check: () => Promise<void>): Promise<void> {
    const before = this.#failure;
    await this.#turns.run('rules', () => this.#set());
    if (this.#failure !== before || this.#checked.untried !== null || this.#checked.reached.length > 0) await check();
  }

  async #set(): Promise<void> {
    const { instance, options } = this.#parts;
    try {
      this.#plan = await planEgress(instance, options);
      if (options.networkNamespace === undefined && !(await this.#seesBridges())) {
        throw new Error('Docker is in another network namespace; name it in SPOON_AGENT_NETWORK_NAMESPACE');
      }
      await runScript(egressScript(this.#plan), options.networkNamespace);
      this.#setAtMs = performance.now();
      this.#failure = null;
    } catch (error) {
      this.#failure = (error as Error).message.replace(/\.$/, '');
    }
  }

  /** So that rules are never put where Docker is not. */
  async #seesBridges(): Promise<boolean> {
    if (this.#setAtMs !== Number.NEGATIVE_INFINITY) return true;
    const names = await readdir('/sys/class/net');
    return names.some((name) => name.startsWith(bridgePrefix(this.#parts.instance)));
  }

  async #try(abortSignal: AbortSignal): Promise<string[]> {
    const { docker, networks, instance, hostPath } = this.#parts;
    if (this.#box === undefined) return [];
    const { image, boxdDir } = this.#box;
    const network = networkName(checkName, instance);
    const subnet = await this.open({ username: checkName, userId: '' }, abortSignal);
    try {
      const own = Object.values(networkInterfaces()).flatMap((addresses) => addresses ?? []);
      const addresses = [gatewayOf(subnet), ...own.filter(({ internal }) => !internal).map(({ address }) => address)];
      const targets: Target[] = [...new Set([...addresses, ...neverReached])].map((address) => ({ address, port }));
      const name = `spoon-${checkName}-${instance}`;
      const box = { name, image, boxdDir: hostPath(boxdDir), network };
      const reached = await reachedFromBox(docker, box, { targets, abortSignal });
      return reached.map(({ address }) => address);
    } finally {
      await networks.remove(checkName, AbortSignal.timeout(checkMs));
    }
  }
}
