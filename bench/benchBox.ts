import assert from 'node:assert/strict';
import Docker from 'dockerode';
import { type IPty, spawn } from 'node-pty';
import { openNodeSocket } from '../cli/nodeSocket.ts';
import { ApiClient } from '../client/apiClient.ts';
import { type TerminalPlace, TerminalSession, type TerminalViewer } from '../client/terminalSession.ts';
import { pipeCreditBytes } from '../protocol/limits.ts';
import { RunningService, type TestUser } from '../test/runningService.ts';

const prompt = 'spoon-bench> ';
export const bigFileLine = 'The quick brown fox jumps over the lazy dog and then has 17 rests';
export const size = { columns: 120, rows: 40 };
const decoder = new TextDecoder();

export interface SpoonShell extends Shell {
  readonly id: string;
  /** Stops viewing; the shell runs on. */
  leave(): void;
}

/** Something that shows a shell: Spoon's own way to one, or a reference. */
export interface Shell {
  type(text: string): void;
  /** Resolves when the output since the last call holds `text`. */
  until(text: string): Promise<void>;
  close(): Promise<void>;
}

/** The real service with a Docker box that runs, and the ways to a shell in it that are compared. */
export class BenchBox {
  readonly service: RunningService;
  readonly user: TestUser;
  readonly docker: Docker;
  readonly dockerSocket: string;
  readonly api: ApiClient;
  readonly #place: TerminalPlace;
  readonly #dockerHost: string;
  #container: Docker.ContainerInspectInfo;
  #hasBigFile = false;

  private constructor(parts: {
    service: RunningService;
    user: TestUser;
    docker: Docker;
    container: Docker.ContainerInspectInfo;
    dockerHost: string;
  }) {
    this.service = parts.service;
    this.user = parts.user;
    this.docker = parts.docker;
    this.#container = parts.container;
    this.#dockerHost = parts.dockerHost;
    this.dockerSocket = parts.dockerHost.replace('unix://', '');
    this.api = new ApiClient({ url: parts.service.url, token: () => parts.user.token, clientId: 'bench', fetch });
    this.#place = { api: this.api, openSocket: openNodeSocket };
  }

  static async start(): Promise<BenchBox> {
    const service = await RunningService.start({ engine: 'docker' });
    const user = await service.addUser('Bench');
    // No start-up work of the image: both sides of each pair read the same two files.
    await service.put(user, '.bashrc', `PS1='${prompt}'\n`);
    await service.put(user, '.bash_profile', '. ~/.bashrc\n');
    await service.inBox(user, 'true');
    const dockerHost = process.env.SPOON_TEST_DOCKER_HOST ?? '';
    const docker = new Docker({ socketPath: dockerHost.replace('unix://', '') });
    const container = await containerOf(docker, service, user);
    return new BenchBox({ service, user, docker, container, dockerHost });
  }

  get containerId(): string {
    return this.#container.Id;
  }

  async stop(): Promise<void> {
    await this.service.admin('POST', `/v1/admin/boxes/${this.user.username}/stop`);
  }

  /** After it was started again: its container is another one. */
  async learnContainer(): Promise<void> {
    this.#container = await containerOf(this.docker, this.service, this.user);
  }

  /** `big.txt` in the home: lines as they are in real text. */
  async ensureBigFile(bytes: number): Promise<void> {
    if (this.#hasBigFile) return;
    await this.service.inBox(this.user, 'bash', '-c', `yes '${bigFileLine}' | head -c ${bytes} > big.txt`);
    this.#hasBigFile = true;
  }

  /** @param id of one that runs; without it, a new one */
  async spoonShell(id?: string): Promise<SpoonShell> {
    const output = new Output();
    const viewer: TerminalViewer = {
      ...size,
      creditBytes: pipeCreditBytes,
      onOutput: (bytes, endOffset) => {
        output.add(bytes);
        session?.acknowledge(endOffset);
      },
      onState: (state) => {
        if (state.name === 'disconnected' || state.name === 'ended') output.end();
      },
    };
    const session: TerminalSession =
      id === undefined
        ? await TerminalSession.open(this.#place, {}, viewer)
        : TerminalSession.attach(this.#place, id, viewer);
    return {
      id: session.id,
      leave: () => session.detach(),
      type: (text) => void session.write(Buffer.from(text)),
      until: (text) => output.until(text),
      close: async () => {
        session.detach();
        await session.end();
      },
    };
  }

  /** `docker exec -it BOX bash -l` under a pseudo-terminal, as people type it. */
  dockerCliShell(): Shell {
    return ptyShell('docker', ['-H', this.#dockerHost, 'exec', '-it', this.containerId, 'bash', '-l']);
  }

  /** A new container with the image, the home, the network and the user of the box, and nothing of Spoon in it. */
  dockerRunShell(): Shell {
    const { Config, HostConfig, Mounts } = this.#container;
    const home = Mounts.find(({ Destination }) => Destination.startsWith('/home/'));
    const options = [
      ...['--rm', '-it', '--init', '--user', Config.User, '--network', HostConfig.NetworkMode ?? 'none'],
      ...[
        '--mount',
        `type=bind,source=${home?.Source},target=${home?.Destination}`,
        '--workdir',
        home?.Destination ?? '/',
      ],
      ...['--env', `HOME=${home?.Destination}`, '--cap-drop', 'ALL', '--security-opt', 'no-new-privileges'],
    ];
    return ptyShell('docker', ['-H', this.#dockerHost, 'run', ...options, Config.Image, 'bash', '-l']);
  }

  /** Docker's own API without the command-line tool around it. */
  async execApiShell(): Promise<Shell> {
    const exec = await this.docker.getContainer(this.containerId).exec({
      Cmd: ['bash', '-l'],
      AttachStdin: true,
      AttachStdout: true,
      AttachStderr: true,
      Tty: true,
    });
    const stream = await exec.start({ hijack: true, stdin: true, Tty: true });
    const output = new Output();
    stream.on('data', (chunk: Buffer) => output.add(chunk));
    stream.on('end', () => output.end());
    return {
      type: (text) => void stream.write(text),
      until: (text) => output.until(text),
      close: async () => {
        stream.write('exit\n');
        stream.end();
      },
    };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.service[Symbol.asyncDispose]();
  }
}

async function containerOf(
  docker: Docker,
  service: RunningService,
  { username }: TestUser,
): Promise<Docker.ContainerInspectInfo> {
  const running = await docker.listContainers({ filters: { label: [`spoon.box=${username}`] } });
  const mine = running.filter((one) => one.Mounts.some((mount) => mount.Source.startsWith(service.workdir)));
  assert.equal(mine.length, 1);
  return await docker.getContainer(mine[0]?.Id ?? '').inspect();
}

/** A shell on this machine, without any box: the limit. */
export function localShell(): Shell {
  return ptyShell('bash', ['--norc', '--noprofile']);
}

function ptyShell(file: string, args: string[]): Shell {
  const pty: IPty = spawn(file, args, {
    cols: size.columns,
    rows: size.rows,
    encoding: null,
    env: { ...process.env, PS1: prompt, TERM: 'xterm-256color' },
  });
  const output = new Output();
  pty.onData((chunk) => output.add(chunk as unknown as Uint8Array));
  const exited = new Promise<void>((resolve) => {
    pty.onExit(() => {
      output.end();
      resolve();
    });
  });
  return {
    type: (text) => pty.write(text),
    until: (text) => output.until(text),
    close: async () => {
      // Ctrl-D ends a shell only on an empty line.
      pty.write('\x15');
      pty.write('\x04');
      await exited;
    },
  };
}

export const promptText = prompt;

/** Looks for a text in a stream without keeping it: only as much of the end as a match could straddle. */
export class Output {
  #tail = '';
  #wanted: { text: string; resolve: () => void; reject: (error: Error) => void } | undefined;
  #ended = false;

  add(bytes: Uint8Array): void {
    this.#tail += decoder.decode(bytes);
    this.#look();
    const keep = Math.max(64, this.#wanted?.text.length ?? 0);
    if (this.#tail.length > 4096) this.#tail = this.#tail.slice(-keep);
  }

  until(text: string): Promise<void> {
    return new Promise((resolve, reject) => {
      this.#wanted = { text, resolve, reject };
      this.#look();
      if (this.#ended) this.end();
    });
  }

  end(): void {
    this.#ended = true;
    this.#wanted?.reject(new Error(`the shell ended before it printed ${JSON.stringify(this.#wanted.text)}`));
    this.#wanted = undefined;
  }

  #look(): void {
    if (this.#wanted === undefined) return;
    const at = this.#tail.indexOf(this.#wanted.text);
    if (at === -1) return;
    this.#tail = this.#tail.slice(at + this.#wanted.text.length);
    const { resolve } = this.#wanted;
    this.#wanted = undefined;
    resolve();
  }
}
