import * as vscode from 'vscode';
import { ApiClient, type Fetch } from '../../client/apiClient.ts';
import { EventStream } from '../../client/eventStream.ts';
import type { OpenSocket } from '../../client/socket.ts';
import type { TerminalPlace } from '../../client/terminalSession.ts';
import type { Box } from '../../protocol/boxes.ts';
import { SpoonError } from '../../protocol/errors.ts';
import type { Session } from '../auth/sessions.ts';
import { HomeDotfiles } from '../dotfiles/homeDotfiles.ts';
import { HomeSwitch } from '../dotfiles/homeSwitch.ts';
import { HomeJobs } from '../jobs/homeJobs.ts';
import type { Log } from '../outputLog.ts';
import { HomeRepository } from '../repository/homeRepository.ts';
import { HomeSecrets } from '../secrets/homeSecrets.ts';
import { requestTimeoutMs } from '../settings.ts';
import { HomeThreads } from '../threads/homeThreads.ts';
import { type ConnectionState, stateAfter, stateForFailure } from './connectionState.ts';

export interface ConnectionParts {
  readonly session: Session;
  /** The token now: a new sign-in to the same service helps terminals that are still there, too. */
  readonly token: () => string | undefined;
  readonly fetch: Fetch;
  readonly openSocket: OpenSocket;
  readonly log: Log;
}

/** A service that answers some requests and fails others (a busy store) is asked again after this. */
const catchUpRetryMs = 5_000;

/** The service as one window sees it: calls, events, and how it stands. Opened for one sign-in, closed with it. */
export class Connection implements vscode.Disposable {
  readonly session: Session;
  readonly host: string;
  readonly dotfiles: HomeDotfiles;
  readonly dotfilesSwitch: HomeSwitch;
  readonly repository: HomeRepository;
  readonly threads: HomeThreads;
  readonly secrets: HomeSecrets;
  readonly jobs: HomeJobs;
  readonly terminals: TerminalPlace;
  readonly #api: ApiClient;
  readonly #events: EventStream;
  readonly #log: Log;
  readonly #fetch: Fetch;
  readonly #stateChanged = new vscode.EventEmitter<ConnectionState>();
  readonly #boxChanged = new vscode.EventEmitter<Box>();
  #state: ConnectionState = { name: 'connecting' };
  #box: Box | undefined;
  /** Of the service, logged once each. */
  readonly #problems = new Set<string>();
  #isStreaming = false;
  #retry: ReturnType<typeof setTimeout> | undefined;
  #disposed = false;
  readonly onDidChangeState = this.#stateChanged.event;
  readonly onDidChangeBox = this.#boxChanged.event;

  constructor({ session, token, fetch, openSocket, log }: ConnectionParts) {
    this.session = session;
    this.#log = log;
    this.#fetch = fetch;
    const clientId = `vscode-${crypto.randomUUID()}`;
    this.#api = new ApiClient({ url: session.url, token, clientId, fetch: withTimeout(fetch) });
    this.host = this.#api.host;
    this.dotfiles = new HomeDotfiles(this.#api);
    this.dotfilesSwitch = new HomeSwitch(this.#api);
    this.repository = new HomeRepository(this.#api);
    this.threads = new HomeThreads({ api: this.#api, onBox: (box) => this.#setBox(box) });
    this.secrets = new HomeSecrets(this.#api);
    this.jobs = new HomeJobs(this.#api);
    this.terminals = { api: this.#api, openSocket };
    this.#events = new EventStream({
      api: this.#api,
      openSocket,
      listener: {
        onEvent: (event) => {
          if (event.type === 'box.changed') this.#setBox(event.box);
          else this.dotfiles.receive(event);
          this.dotfilesSwitch.receive(event);
          this.repository.receive(event);
          this.threads.receive(event);
          this.secrets.receive(event);
          this.jobs.receive(event);
        },
        onGap: () => void this.#catchUp(),
        onState: (socket) => {
          this.#isStreaming = socket.name === 'connected';
          this.#follow(stateAfter(this.#state, socket));
        },
      },
    });
  }

  get state(): ConnectionState {
    return this.#state;
  }

  /** The box as last heard of; undefined until then. */
  get box(): Box | undefined {
    return this.#box;
  }

  get api(): ApiClient {
    return this.#api;
  }

  /** The same service with another token, or none. */
  asOther(token: () => string | undefined): ApiClient {
    return new ApiClient({ url: this.#api.url, token, clientId: this.#api.clientId, fetch: withTimeout(this.#fetch) });
  }

  /** Returns at once; the state tells how it goes. */
  open(): void {
    this.#events.connect();
    // The list does not wait for the event stream: the tree shows a round trip earlier.
    void this.#catchUp();
  }

  /** Tries now and not when it would be time. */
  reconnect(): void {
    if (this.#state.name === 'connected') return;
    this.#follow({ name: 'connecting' });
    this.open();
  }

  /** The machine slept: what looks connected may be long gone. */
  renew(): void {
    this.#events.renew();
  }

  /**
   * Fails at once when the service is known to be away; that somebody wants it is a reason to try now.
   * @throws SpoonError
   */
  requireReachable(): void {
    if (this.#state.name === 'connecting' || this.#state.name === 'connected') return;
    if (this.#state.name === 'offline') this.#events.connect();
    throw this.#state.error ?? new SpoonError('service-unreachable');
  }

  dispose(): void {
    this.#disposed = true;
    clearTimeout(this.#retry);
    this.#events.close();
    this.dotfiles.dispose();
    this.dotfilesSwitch.dispose();
    this.repository.dispose();
    this.threads.dispose();
    this.secrets.dispose();
    this.jobs.dispose();
    this.#stateChanged.dispose();
    this.#boxChanged.dispose();
  }

  /** Something may have been missed: who is it, and what is there now. */
  async #catchUp(): Promise<void> {
    const boxBefore = this.#box;
    try {
      const [health, , box] = await Promise.all([
        this.#api.checkCompatible(),
        this.dotfiles.refresh(),
        this.#api.call('box'),
        this.repository.refresh(),
        this.dotfilesSwitch.refresh(),
      ]);
      if (health.instanceId !== this.session.instanceId) {
        throw new SpoonError('unauthenticated', `At ${this.host} there is another service now.`);
      }
      for (const problem of health.problems) {
        if (!this.#problems.has(problem)) this.#log.warn(`${this.host}: ${problem}`);
        this.#problems.add(problem);
      }
      // An event meanwhile knows better.
      if (this.#box === boxBefore) this.#setBox(box);
      this.threads.refreshSoon();
      this.secrets.refreshSoon();
      this.jobs.refreshSoon();
      if (this.#isStreaming) this.#follow({ name: 'connected' });
    } catch (error) {
      if (this.#disposed) return;
      if (!(error instanceof SpoonError)) throw error;
      this.dotfiles.fail(error);
      const state = stateForFailure(error);
      if (state.name === 'incompatible' || state.name === 'refused') this.#events.close();
      this.#follow(state);
      // The stream is there, so nothing else would bring this up again.
      if (this.#isStreaming && state.name === 'offline') {
        clearTimeout(this.#retry);
        this.#retry = setTimeout(() => void this.#catchUp(), catchUpRetryMs);
      }
    }
  }

  #follow(state: ConnectionState | undefined): void {
    if (state === undefined || this.#disposed) return;
    const before = this.#state;
    if (before.name === state.name && !('error' in state)) return;
    this.#state = state;
    const why = 'error' in state && state.error !== undefined ? `: ${state.error.message}` : '';
    this.#log.info(`${this.host} ${state.name}${why}`);
    this.#stateChanged.fire(state);
    // The event stream knows that it is away but not why; a plain request does, and finds other versions too.
    if (state.name === 'offline' && state.error === undefined) void this.#diagnose();
  }

  async #diagnose(): Promise<void> {
    try {
      await this.#api.checkCompatible();
    } catch (error) {
      if (!(error instanceof SpoonError)) throw error;
      if (this.#state.name !== 'offline') return;
      const state = stateForFailure(error);
      if (state.name === 'incompatible') this.#events.close();
      this.dotfiles.fail(error);
      this.#follow(state);
    }
  }

  #setBox(box: Box): void {
    this.#box = box;
    this.#boxChanged.fire(box);
  }
}

const ownLimit =
  /\/v1\/(terminals|commands|threads|threads\/.*|spoons\/.*|home\/usage|box\/\w+|admin\/(boxes|users)\/[^/]+\/(stop|disable)|environment\/(dotfiles|repository(\/[\w-]+)?))$/;

/** The setting's limit, where the call has no longer one of its own (opening a terminal may have to start the box, a thread is a download). */
function withTimeout(fetch: Fetch): Fetch {
  return (url, init) => {
    if (ownLimit.test(new URL(url).pathname)) return fetch(url, init);
    const limit = AbortSignal.timeout(requestTimeoutMs());
    return fetch(url, { ...init, signal: init.signal ? AbortSignal.any([init.signal, limit]) : limit });
  };
}
