import type { Duplex } from 'node:stream';
import type { Static, TSchema } from 'typebox';
import { Value } from 'typebox/value';
import type { WebSocket } from 'ws';
import {
  DriftReport,
  HomeEntry,
  LayerFacts,
  type OverlayApply,
  OverlayCheckResult,
  type OverlayPlan,
  OverlayPlanResult,
  OverlayReport,
  type StartCommand,
  StartedCommand,
  StartedTerminal,
  type StartTerminal,
  Stat,
  TerminalStates,
} from '../../protocol/boxd.ts';
import { type ErrorCode, SpoonError } from '../../protocol/errors.ts';
import { driftWaitMs, maxFileBytes, maxJsonBytes, maxResponseBytes } from '../../protocol/limits.ts';
import { Problem } from '../../protocol/problem.ts';
import { applyFrames, type FileContent } from './applyFrames.ts';
import type { BoxdCall, BoxdCalls } from './boxdCall.ts';
import { BoxdFiles } from './boxdFiles.ts';
import { BoxdGit } from './boxdGit.ts';
import { BoxdHome } from './boxdHome.ts';
import { BoxdJobs } from './boxdJobs.ts';
import type { BoxdLink, LinkResponse } from './boxdLink.ts';
import { BoxdRepository } from './boxdRepository.ts';
import { openViewer } from './boxdViewer.ts';
import { framesOf } from './framesOf.ts';

/** Quick questions; what walks the home or writes thousands of files gets longer. */
const quickMs = 5_000;
const planMs = 30_000;
/** Longer than a box may be silent. */
const pingMs = 60_000;
/** A shell is there in milliseconds; of many at once on a busy machine the last one is not. */
const startMs = 30_000;
const applyMs = 120_000;
const maxDetailLength = 1024;
/** As many drifts as a report may have, with the longest paths. */
const maxDriftBytes = 8 * 1024 * 1024;

/** What a box may say of its own matters. Any other code from it would make the service lie about itself. */
const boxdCodes = new Set<string>([
  'request-invalid',
  'json-invalid',
  'unknown-field',
  'body-too-large',
  'not-found',
  'insufficient-storage',
  'home-not-writable',
  'home-not-readable',
  'home-too-large',
  'folder-not-empty',
  'file-exists',
  'version-stale',
  'not-a-regular-file',
  'path-through-symlink',
  'path-kind-conflict',
  'path-not-managed',
  'path-reserved',
  'terminal-limit',
  'command-invalid',
  'env-name-invalid',
  'ref-missing',
  'repository-unavailable',
  'repository-private',
  'repository-moved',
  'repository-refused',
  'git-timeout',
  'git-missing',
  'git-failed',
  'checkout-busy',
  'too-many-requests',
  'job-unfinished',
] satisfies ErrorCode[]);

/**
 * What the service asks of boxd (`protocol/boxd.ts`), typed. Every answer is checked against its schema and stripped of
 * what the schema does not name. All methods throw what {@link BoxdLink.request} throws, `box-misbehaved` for an answer
 * of another form, and the codes that boxd itself may give.
 */
export class BoxdClient {
  readonly #link: Pick<BoxdLink, 'request' | 'upgrade' | 'dial'>;

  constructor(link: Pick<BoxdLink, 'request' | 'upgrade' | 'dial'>) {
    this.#link = link;
  }

  stat(signal?: AbortSignal): Promise<Stat> {
    return this.#json(Stat, { method: 'GET', path: '/v1/stat', timeoutMs: quickMs, signal });
  }

  /** The smallest question, without a limit of its own: for who counts how long the answer takes. */
  async ping(signal: AbortSignal): Promise<void> {
    await this.#call({ method: 'GET', path: '/v1/stat', timeoutMs: pingMs, signal });
  }

  /** Whether the home is as the overlay of this digest wants it. */
  async isUpToDate(digest: string, signal?: AbortSignal): Promise<boolean> {
    const call = {
      method: 'POST',
      path: '/v1/overlay/check',
      body: json({ digest }),
      timeoutMs: planMs,
      signal,
    } as const;
    return (await this.#json(OverlayCheckResult, call)).upToDate;
  }

  /** The paths of the plan whose bytes the box does not have. Paths that the plan does not name are dropped. */
  async neededPaths(plan: OverlayPlan, signal?: AbortSignal): Promise<string[]> {
    const { needed } = await this.#json(OverlayPlanResult, {
      method: 'POST',
      path: '/v1/overlay/plan',
      body: json(plan),
      timeoutMs: planMs,
      maxBytes: maxResponseBytes,
      signal,
    });
    const planned = new Set(plan.entries.map(({ path }) => path));
    return [...new Set(needed)].filter((path) => planned.has(path));
  }

  applyOverlay(
    apply: OverlayApply,
    contents: AsyncIterable<FileContent> | Iterable<FileContent>,
    signal?: AbortSignal,
  ): Promise<OverlayReport> {
    return this.#json(OverlayReport, {
      method: 'POST',
      path: '/v1/overlay/apply',
      body: applyFrames(apply, contents),
      timeoutMs: applyMs,
      maxBytes: maxResponseBytes,
      signal,
    });
  }

  /** What has drifted in the home, as soon as it is not what it was at `after`; the same again after a while. */
  drift(after: number, signal?: AbortSignal): Promise<DriftReport> {
    const path = `/v1/overlay/drift?after=${after}`;
    const timeoutMs = driftWaitMs + planMs;
    return this.#json(DriftReport, { method: 'GET', path, timeoutMs, maxBytes: maxDriftBytes, signal });
  }

  /** What is known about who made a path of the home. */
  layers(path: string, signal?: AbortSignal): Promise<LayerFacts> {
    const call = `/v1/overlay/layers?${new URLSearchParams({ path })}`;
    return this.#json(LayerFacts, { method: 'GET', path: call, timeoutMs: planMs, signal });
  }

  /** What the home has at a path: bytes of a file, the target of a link. */
  async homeEntry(path: string, signal?: AbortSignal): Promise<{ entry: HomeEntry; bytes: Uint8Array }> {
    const { body } = await this.#call({
      method: 'GET',
      path: `/v1/overlay/home?${new URLSearchParams({ path })}`,
      timeoutMs: planMs,
      maxBytes: maxFileBytes + maxJsonBytes,
      signal,
    });
    const [head, bytes, more] = await framesOf(body, maxFileBytes);
    const entry = parse(Buffer.from(head ?? []));
    if (!Value.Check(HomeEntry, entry) || bytes?.length !== entry.size || more !== undefined) {
      throw new SpoonError('box-misbehaved', 'What it says is in the home has another form.');
    }
    return { entry, bytes };
  }

  /** The bytes of a backup that an outcome named. */
  async backup(path: string, signal?: AbortSignal): Promise<Buffer> {
    const query = new URLSearchParams({ path });
    const { body } = await this.#call({
      method: 'GET',
      path: `/v1/backups?${query}`,
      timeoutMs: planMs,
      maxBytes: maxFileBytes,
      signal,
    });
    return body;
  }

  startTerminal(start: StartTerminal, signal?: AbortSignal): Promise<StartedTerminal> {
    const call = { method: 'POST', path: '/v1/terminals', body: json(start), timeoutMs: startMs, signal } as const;
    return this.#json(StartedTerminal, call);
  }

  terminals(signal?: AbortSignal): Promise<TerminalStates> {
    return this.#json(TerminalStates, { method: 'GET', path: '/v1/terminals', timeoutMs: quickMs, signal });
  }

  async endTerminal(id: string, signal?: AbortSignal): Promise<void> {
    await this.#call({ method: 'DELETE', path: `/v1/terminals/${encodeURIComponent(id)}`, timeoutMs: quickMs, signal });
  }

  /** A WebSocket to one terminal, as raw bytes: relayed, never decoded. */
  attachTerminal(id: string): Promise<Duplex> {
    return this.#link.upgrade({ path: `/v1/terminals/${encodeURIComponent(id)}/attach` });
  }

  /** As {@link attachTerminal}, with messages that are read here. @throws SpoonError `not-found`, `box-unavailable` */
  async viewTerminal(id: string): Promise<WebSocket> {
    return openViewer(await this.#link.dial(), id);
  }

  startCommand(start: StartCommand, signal?: AbortSignal): Promise<StartedCommand> {
    const call = { method: 'POST', path: '/v1/commands', body: json(start), timeoutMs: startMs, signal } as const;
    return this.#json(StartedCommand, call);
  }

  /** As {@link attachTerminal}, for a command. */
  attachCommand(id: string): Promise<Duplex> {
    return this.#link.upgrade({ path: `/v1/commands/${encodeURIComponent(id)}/attach` });
  }

  /** The home as a whole. */
  get home(): BoxdHome {
    return new BoxdHome(this.#calls);
  }

  /** Files of the home, checkouts included. */
  get files(): BoxdFiles {
    return new BoxdFiles(this.#calls);
  }

  /** What git does for threads. */
  get git(): BoxdGit {
    return new BoxdGit(this.#calls);
  }

  /** Agent jobs. */
  get jobs(): BoxdJobs {
    return new BoxdJobs(this.#calls);
  }

  /** Clone and setup of the dotfiles repository. */
  get repository(): BoxdRepository {
    return new BoxdRepository(this.#calls);
  }

  /** As {@link attachTerminal}, for changes of files. */
  watchFiles(): Promise<Duplex> {
    return this.#link.upgrade({ path: '/v1/files/watch' });
  }

  get #calls(): BoxdCalls {
    return { json: (schema, call) => this.#json(schema, call), call: (call) => this.#call(call) };
  }

  async #json<T extends TSchema>(schema: T, call: BoxdCall): Promise<Static<T>> {
    const { body } = await this.#call(call);
    const value = parse(body);
    if (!Value.Check(schema, value))
      throw new SpoonError('box-misbehaved', `Its answer to ${call.path} has another form.`);
    return Value.Clean(schema, value) as Static<T>;
  }

  async #call({ maxBytes = maxJsonBytes, body, signal, ...call }: BoxdCall): Promise<LinkResponse> {
    const response = await this.#link.request({
      ...call,
      maxResponseBytes: maxBytes,
      ...(body === undefined ? {} : { body }),
      ...(body === undefined || body instanceof Uint8Array ? {} : { contentType: 'application/octet-stream' }),
      ...(signal === undefined ? {} : { signal }),
    });
    if (response.status >= 200 && response.status < 300) return response;
    throw refusal(call.path, response);
  }
}

function json(value: unknown): Buffer {
  return Buffer.from(JSON.stringify(value));
}

function parse(body: Buffer): unknown {
  try {
    return JSON.parse(body.toString('utf8'));
  } catch (cause) {
    throw new SpoonError('box-misbehaved', 'Its answer is not JSON.', { cause });
  }
}

/** What boxd refused, in its own words where they are plain text of a code that it may use. */
function refusal(path: string, { status, body }: LinkResponse): SpoonError {
  const problem = status >= 400 ? parse(body) : undefined;
  if (Value.Check(Problem, problem) && boxdCodes.has(problem.code)) {
    const detail = problem.detail?.slice(0, maxDetailLength).replaceAll(/\p{Cc}+/gu, ' ');
    return new SpoonError(problem.code as ErrorCode, detail);
  }
  return new SpoonError('box-misbehaved', `It answered ${path} with status ${status}.`);
}
