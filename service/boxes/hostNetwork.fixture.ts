import assert from 'node:assert/strict';
import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { setTimeout as delay } from 'node:timers/promises';
import { promisify } from 'node:util';

const run = promisify(execFile);
const canaryFile = join(import.meta.dirname, 'testCanary.cjs');
const forwarderFile = join(import.meta.dirname, 'testForwarder.cjs');

/** On the host's own interfaces, beside those of Docker. */
export const hostAddresses = [
  '169.254.169.254',
  '10.77.0.1',
  '172.20.77.1',
  '192.168.77.1',
  '100.64.77.1',
  '203.0.113.9',
];
/** Behind the host: its network. */
export const lanAddresses = [
  '10.78.0.2',
  '172.20.78.2',
  '192.168.78.2',
  '100.64.78.2',
  '169.254.78.2',
  '168.63.129.16',
];
/** Behind the host as well: the internet. */
export const internetAddress = '198.51.100.2';
export const canaryPort = 47_110;
export const listedPort = 47_111;
/** Where a repository's address leads without a port. */
export const httpsPort = 443;

/** Around Docker's network namespace: places on the host, on its network and on the internet, each with a canary; gone afterwards. */
export class HostNetwork implements AsyncDisposable {
  readonly hits: string[] = [];
  readonly #enter: string[];
  readonly #interfaces = { own: `spt${process.pid % 100_000}o`, near: `spt${process.pid % 100_000}n` };
  readonly #canaries: ChildProcess[] = [];

  #lan: ChildProcess | undefined;
  readonly #lanPorts: readonly number[];

  private constructor(networkNamespace: string | undefined, freePorts: readonly number[]) {
    this.#lanPorts = [canaryPort, listedPort].filter((port) => !freePorts.includes(port));
    this.#enter = networkNamespace === undefined ? [] : ['nsenter', `--net=${networkNamespace}`];
  }

  /** @param freePorts behind the host, where no canary listens */
  static async around(networkNamespace: string | undefined, freePorts: readonly number[] = []): Promise<HostNetwork> {
    const network = new HostNetwork(networkNamespace, freePorts);
    try {
      await network.#make();
      return network;
    } catch (error) {
      await network[Symbol.asyncDispose]();
      throw error;
    }
  }

  async #make(): Promise<void> {
    const { own, near } = this.#interfaces;
    await this.#canary(this.#enter, [canaryPort, httpsPort]);
    const lan = await this.#canary(['unshare', '--net'], [...this.#lanPorts, 'dns']);
    this.#lan = lan;
    await this.inside('ip', 'link', 'add', own, 'type', 'bridge');
    await this.inside('ip', 'link', 'set', own, 'up');
    for (const address of hostAddresses) await this.inside('ip', 'addr', 'add', `${address}/32`, 'dev', own);
    // In the canary's namespace from the start: it goes when the canary does.
    const far = `ip link add ${near} type veth peer name far netns ${lan.pid} && ip link set ${near} up`;
    await this.inside('sh', '-c', `${far} && ip addr add 10.78.0.1/32 dev ${near}`);
    const there = (...argv: string[]) => run('nsenter', [`--net=/proc/${lan.pid}/ns/net`, ...argv]);
    await there('ip', 'link', 'set', 'lo', 'up');
    await there('ip', 'link', 'set', 'far', 'up');
    for (const address of [...lanAddresses, internetAddress]) {
      await there('ip', 'addr', 'add', `${address}/32`, 'dev', 'far');
      await this.inside('ip', 'route', 'add', `${address}/32`, 'dev', near, 'src', '10.78.0.1');
    }
    await there('ip', 'route', 'add', '10.78.0.1/32', 'dev', 'far');
  }

  /** Behind the host: what connects to this port gets to a server on a Unix socket, wherever that is. */
  async forward(port: number, socketPath: string): Promise<void> {
    const enter = ['nsenter', `--net=/proc/${this.#lan?.pid}/ns/net`];
    await this.#start([...enter, process.execPath, forwarderFile, String(port), socketPath]);
  }

  /** Runs a program in Docker's network namespace. */
  async inside(...argv: string[]): Promise<string> {
    const [file = '', ...rest] = [...this.#enter, ...argv];
    return (await run(file, rest)).stdout;
  }

  /** What reached a canary since the last call. */
  takeHits(): string[] {
    return [...new Set(this.hits.splice(0))].sort();
  }

  /** {@link takeHits} once there are so many: a canary tells a moment after who came has seen that it is there. */
  async untilHits(count: number): Promise<string[]> {
    const endMs = Date.now() + 30_000;
    while (new Set(this.hits).size < count && Date.now() < endMs) await delay(20);
    return this.takeHits();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const child of this.#canaries) {
      const exited = once(child, 'exit');
      child.kill('SIGKILL');
      await exited;
    }
    // The pair goes with the namespace of its far end, a moment after the process; or now.
    for (const name of Object.values(this.#interfaces)) {
      await this.inside('ip', 'link', 'del', name).catch((error: unknown) => {
        if (!String(error).includes('Cannot find device')) throw error;
      });
    }
  }

  #canary(enter: string[], rest: (number | string)[]): Promise<ChildProcess> {
    return this.#start([...enter, process.execPath, canaryFile, ...rest.map(String)]);
  }

  async #start([file = '', ...argv]: string[]): Promise<ChildProcess> {
    const child = spawn(file, argv, { stdio: ['ignore', 'pipe', 'inherit'] });
    this.#canaries.push(child);
    assert.ok(child.stdout);
    const lines = createInterface({ input: child.stdout });
    await new Promise<void>((resolve, reject) => {
      child.once('exit', (code) => reject(new Error(`the canary ended with ${code}`)));
      lines.on('line', (line) => {
        if (line === 'ready') resolve();
        else this.hits.push(line);
      });
    });
    return child;
  }
}
