import { createHash } from 'node:crypto';
import type { IncomingMessage, Server } from 'node:http';
import type { Duplex } from 'node:stream';
import type { FastifyInstance } from 'fastify';
import { type ErrorCode, SpoonError } from '../../protocol/errors.ts';
import { maxPendingUpgradesPerUser } from '../../protocol/limits.ts';
import type { Route } from '../../protocol/route.ts';
import { routes } from '../../protocol/routes.ts';
import { closeCode, type SilenceMessage } from '../../protocol/terminalFrames.ts';
import { socketProtocol } from '../../protocol/version.ts';
import { offersSpoonProtocol, ticketOf } from './authenticate.ts';
import { asSpoonError, rawProblem } from './problem.ts';
import { Relay } from './relay.ts';
import { type AccessRules, checkRequest } from './requestChecks.ts';
import { addRoute } from './route.ts';

/** What a ticket was found to open: `userId` says whose box, `tokenId` what ends it. */
export interface Grant {
  readonly userId: string;
  readonly tokenId: string;
}

export type Target =
  | { readonly kind: 'terminal' | 'command' | 'job' | 'share'; readonly id: string }
  | { readonly kind: 'events' | 'files'; readonly id: null };

/** What is passed on to the box. */
export type RelayTarget = Target & ({ kind: 'terminal' | 'command' } | { kind: 'files' });

export interface Viewing {
  readonly grant: Grant;
  readonly target: RelayTarget;
  readonly request: IncomingMessage;
}

export interface RelayEnd {
  readonly fromClient: number;
  readonly toClient: number;
  readonly durationMs: number;
}

export interface UpgradeSettings {
  readonly access: AccessRules;
  /** @throws SpoonError `ticket-invalid` */
  readonly redeem: (ticket: string, target: Target) => Grant;
  /** A connection to the box after its checked `101`: raw frames both ways. @throws SpoonError */
  readonly openRelay: (grant: Grant, target: RelayTarget) => Promise<Duplex>;
  /** Asked when a relay's box ended without a word: whether that was the end of the box itself. */
  readonly isBoxGone: (grant: Grant) => Promise<boolean>;
  /** @throws SpoonError `not-found`, `too-many-requests` */
  readonly acceptJob: (
    grant: Grant,
    jobId: string,
    connection: { request: IncomingMessage; socket: Duplex; head: Buffer },
  ) => void;
  /** As `acceptJob`, for a guest at somebody else's terminal. */
  readonly acceptShare: UpgradeSettings['acceptJob'];
  readonly acceptEvents: (grant: Grant, request: IncomingMessage, socket: Duplex, head: Buffer) => void;
  /** A relay is open: who has it, and from where. Resolved when both its ends are gone. */
  readonly opened: (viewing: Viewing, ended: Promise<RelayEnd>) => void;
  /** Somebody was turned away. */
  readonly refused: (code: ErrorCode, request: IncomingMessage) => void;
  /** A bug, or a failure of the machine: never shown to the client. */
  readonly failure: (error: unknown) => void;
  readonly report: (report: {
    route: string;
    status: number;
    userId?: string;
    tokenId?: string;
    code?: string;
  }) => void;
}

// RFC 6455 section 1.3
const handshakeGuid = '258EAFA5-E914-47DA-95CA-C5AB0DC85B11';
/** How long clients may take to hear that the service ends. */
const goodbyeMs = 1_000;

/**
 * WebSockets in: ticket, then the box's answer, then the two sockets are joined. Bytes of a terminal are never decoded, and
 * nothing that a box says reaches a client before our own `101` (`security.md` decision 2).
 */
export class Upgrades {
  readonly #settings: UpgradeSettings;
  readonly #pending = new Map<string, number>();
  readonly #relays = new Map<Relay, Grant & { readonly kind: RelayTarget['kind'] }>();
  /** Redeemed, and waiting for the box. */
  readonly #opening = new Set<{ readonly tokenId: string; revoked: boolean }>();
  #closing = false;

  constructor(settings: UpgradeSettings) {
    this.#settings = settings;
  }

  attachTo(server: Server): void {
    server.on('upgrade', (request: IncomingMessage, socket: Duplex, head: Buffer) => {
      // Without a listener a reset during the handshake would end the service; the socket is gone either way.
      socket.on('error', () => socket.destroy());
      void this.#accept(request, socket, head);
    });
  }

  /** Ends what a revoked token opened. */
  closeThoseOf(tokenId: string): void {
    const closing = { code: closeCode.revoked, reason: 'The token was revoked.' };
    for (const [relay, grant] of this.#relays) if (grant.tokenId === tokenId) relay.close(closing);
    for (const opening of this.#opening) if (opening.tokenId === tokenId) opening.revoked = true;
  }

  /** Tells those who look at a terminal of the user's whether its box answers. */
  tellSilence(userId: string, isSilent: boolean): void {
    const message: SilenceMessage = { type: isSilent ? 'boxSilent' : 'boxAnswers' };
    for (const [relay, viewer] of this.#relays) {
      if (viewer.userId === userId && viewer.kind === 'terminal') relay.say(JSON.stringify(message));
    }
  }

  /** Ends all relays, and says that the service comes back: the terminals run on. New ones are refused. */
  async close(): Promise<void> {
    this.#closing = true;
    const open = [...this.#relays.keys()];
    for (const relay of open) relay.close({ code: closeCode.serviceRestart, reason: 'The service restarts.' });
    const late = setTimeout(() => {
      for (const relay of open) relay.destroy();
    }, goodbyeMs);
    await Promise.all(open.map(({ over }) => over));
    clearTimeout(late);
  }

  async #accept(request: IncomingMessage, socket: Duplex, head: Buffer): Promise<void> {
    const { report } = this.#settings;
    let route: Route | undefined;
    let grant: Grant | undefined;
    try {
      if (this.#closing) throw new SpoonError('shutting-down');
      checkRequest(request, this.#settings.access);
      const found = targetOf(request.url ?? '');
      if (found === undefined) throw new SpoonError('not-found');
      route = found.route;
      checkHandshake(request);
      grant = this.#settings.redeem(ticketOf(request), found.target);
      if (found.target.kind === 'events') this.#settings.acceptEvents(grant, request, socket, head);
      else if (found.target.kind === 'job') this.#settings.acceptJob(grant, found.target.id, { request, socket, head });
      else if (found.target.kind === 'share') {
        this.#settings.acceptShare(grant, found.target.id, { request, socket, head });
      } else await this.#relay(request, socket, head, { grant, target: found.target as RelayTarget });
      report({ route: route.path, status: 101, ...ids(grant) });
    } catch (thrown) {
      const error = asSpoonError(thrown);
      if (error.code === 'internal-error') this.#settings.failure(error.cause ?? error);
      this.#settings.refused(error.code, request);
      if (socket.writable) socket.end(rawProblem(error));
      socket.once('finish', () => socket.destroy());
      report({ route: route?.path ?? 'none', status: error.status, code: error.code, ...(grant ? ids(grant) : {}) });
    }
  }

  async #relay(
    request: IncomingMessage,
    client: Duplex,
    head: Buffer,
    { grant, target }: { grant: Grant; target: RelayTarget },
  ): Promise<void> {
    const opening = { tokenId: grant.tokenId, revoked: false };
    this.#opening.add(opening);
    const upstream = await this.#holdingPlace(grant.userId, () => this.#settings.openRelay(grant, target)).finally(() =>
      this.#opening.delete(opening),
    );
    if (opening.revoked) {
      upstream.destroy();
      throw new SpoonError('ticket-invalid');
    }
    if (client.destroyed || this.#closing) {
      client.destroy();
      upstream.destroy();
      return;
    }
    client.write(switchingProtocols(request));
    if (head.length > 0) upstream.write(head);
    const relay = new Relay(client, upstream, async () =>
      (await this.#settings.isBoxGone(grant)) ? { code: closeCode.boxGone, reason: 'The box has ended.' } : undefined,
    );
    this.#relays.set(relay, { userId: grant.userId, tokenId: grant.tokenId, kind: target.kind });
    void relay.over.then(() => this.#relays.delete(relay));
    const openedMs = performance.now();
    const ended = relay.over.then(() => ({
      fromClient: head.length + relay.bytes.fromClient,
      toClient: relay.bytes.toClient,
      durationMs: Math.round(performance.now() - openedMs),
    }));
    this.#settings.opened({ grant, target, request }, ended);
  }

  /** A box that does not answer must not gather connections without end. */
  async #holdingPlace<T>(userId: string, work: () => Promise<T>): Promise<T> {
    const pending = this.#pending.get(userId) ?? 0;
    if (pending >= maxPendingUpgradesPerUser) {
      throw new SpoonError('too-many-requests', 'Other terminals of yours are still connecting.', {
        extra: { retryAfterSeconds: 1 },
      });
    }
    this.#pending.set(userId, pending + 1);
    try {
      return await work();
    } finally {
      const left = (this.#pending.get(userId) ?? 1) - 1;
      if (left === 0) this.#pending.delete(userId);
      else this.#pending.set(userId, left);
    }
  }
}

function ids({ userId, tokenId }: Grant): { userId: string; tokenId: string } {
  return { userId, tokenId };
}

const upgradeRoutes: readonly { route: Route; kind: Target['kind'] }[] = [
  { route: routes.attachTerminal, kind: 'terminal' },
  { route: routes.attachCommand, kind: 'command' },
  { route: routes.followJob, kind: 'job' },
  { route: routes.attachShare, kind: 'share' },
  { route: routes.events, kind: 'events' },
  { route: routes.watchFiles, kind: 'files' },
];

/** Which entry of the route table an upgrade asks for, and of what. */
function targetOf(url: string): { route: Route; target: Target } | undefined {
  if (url.includes('?')) return undefined;
  for (const { route, kind } of upgradeRoutes) {
    const [before = '', after = ''] = route.path.split(':id');
    if (kind === 'events' || kind === 'files') {
      if (url === route.path) return { route, target: { kind, id: null } };
      continue;
    }
    const id = url.startsWith(before) && url.endsWith(after) ? url.slice(before.length, url.length - after.length) : '';
    if (/^[0-9A-Za-z_-]{1,64}$/.test(id)) return { route, target: { kind, id } };
  }
  return undefined;
}

/** @throws SpoonError for a handshake that RFC 6455 section 4.2.1 does not allow */
function checkHandshake({ method, headers }: IncomingMessage): void {
  const key = headers['sec-websocket-key'] ?? '';
  if (method !== 'GET' || !/^[+/0-9A-Za-z]{22}==$/.test(key)) {
    throw new SpoonError('http-invalid', 'The WebSocket handshake is not complete.');
  }
  if (headers['sec-websocket-version'] !== '13') {
    throw new SpoonError('upgrade-required', 'The WebSocket version must be 13.');
  }
}

/** Our own answer to the client; of boxd's nothing is passed on. No extension is ever agreed to (row 65). */
function switchingProtocols(request: IncomingMessage): string {
  const key = request.headers['sec-websocket-key'] ?? '';
  const accept = createHash('sha1')
    .update(key + handshakeGuid)
    .digest('base64');
  return [
    'HTTP/1.1 101 Switching Protocols',
    'Upgrade: websocket',
    'Connection: Upgrade',
    `Sec-WebSocket-Accept: ${accept}`,
    ...(offersSpoonProtocol(request) ? [`Sec-WebSocket-Protocol: ${socketProtocol}`] : []),
    '',
    '',
  ].join('\r\n');
}

/** The same addresses over a plain request, which the scope `ticket` refuses before this is reached. */
export function addUpgradeRoutes(app: FastifyInstance): void {
  for (const { route } of upgradeRoutes) {
    addRoute(app, route, async () => {
      throw new SpoonError('upgrade-required');
    });
  }
}
