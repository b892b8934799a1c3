import { createHash, randomBytes, randomInt, timingSafeEqual } from 'node:crypto';
import { SpoonError } from '../../protocol/errors.ts';
import type { TokenKind } from '../../protocol/identity.ts';
import { deviceCodeLifeMs, deviceIntervalMs, signInCodeLifeMs } from '../../protocol/limits.ts';
import { onOneLine } from '../../protocol/plainText.ts';
import { adminPagePath, editorRedirect, loopbackRedirect, type SignInQuery } from '../../protocol/signIn.ts';
import { randomBase62 } from '../../protocol/tokenFormat.ts';

/** Sign-ins that are under way. In memory: a restart of the service ends them, and people begin anew. */

/** What a program asked for, checked. */
export interface SignInRequest {
  readonly redirectUri: string;
  readonly state: string;
  readonly challenge: string;
  readonly clientName: string;
  /** Of the token that it gets in the end. */
  readonly kind: TokenKind;
}

/** Who has shown a password, and when the look at it began. */
export interface Shown {
  readonly userId: string;
  /** Of {@link SignIns.begin}. */
  readonly begun: number;
}

interface Device {
  readonly userCode: string;
  readonly clientName: string;
  readonly kind: TokenKind;
  readonly address: string;
  readonly createdMs: number;
  readonly expiresMs: number;
  askedMs: number;
  /** Who may answer the question that is being shown, and the answer. */
  asked?: { readonly confirm: string; readonly who: Shown };
  answer?: Shown | 'denied';
}

/** Who has signed in, and for what. */
export interface SignedIn {
  readonly who: Shown;
  readonly clientName: string;
  readonly kind: TokenKind;
}

interface Code {
  readonly who: Shown;
  readonly request: SignInRequest;
  readonly expiresMs: number;
}

const secretCharacters = 43;
const maxUnderWay = 1_000;
const maxWrongUserCodes = 5;
// RFC 8628 section 6.1: no vowels, so no words, and nothing that looks like something else.
const userCodeLetters = 'BCDFGHJKLMNPQRSTVWXZ';

/** @throws SpoonError `sign-in-link-invalid` */
export function readSignInRequest(query: SignInQuery): SignInRequest {
  const { redirect_uri = '', state = '', code_challenge = '', code_challenge_method, client_name = '', kind } = query;
  const refuse = (detail: string) => new SpoonError('sign-in-link-invalid', detail);
  const isPage = redirect_uri === adminPagePath;
  if (isPage && kind !== 'admin') throw refuse('The admin page is for administrators alone.');
  if (!isPage && !loopbackRedirect.test(redirect_uri) && !editorRedirect.test(redirect_uri)) {
    throw refuse('It wants to be answered somewhere else than on this machine.');
  }
  if (code_challenge_method !== 'S256' || !/^[A-Za-z0-9_-]{43}$/.test(code_challenge)) {
    throw refuse('It gave no challenge (PKCE with S256).');
  }
  if (!/^[A-Za-z0-9._~-]{16,200}$/.test(state)) throw refuse('It gave no state.');
  return {
    redirectUri: redirect_uri,
    state,
    challenge: code_challenge,
    clientName: isPage ? 'Admin page' : shownName(client_name),
    kind: kind ?? 'user',
  };
}

export class SignIns {
  readonly #codes = new Map<string, Code>();
  readonly #devices = new Map<string, Device>();
  /** Of each user: how many user codes were wrong, and until when that counts. */
  readonly #wrong = new Map<string, { count: number; untilMs: number }>();
  /** When all of a user's were ended; a count and not a clock, as two things may happen within its grain. */
  readonly #ended = new Map<string, number>();
  #count = 0;
  readonly #now: () => number;

  /** @param now monotonic milliseconds */
  constructor(now: () => number = () => performance.now()) {
    this.#now = now;
  }

  /** Before anything about the account is read, so that what is ended meanwhile stays ended. */
  begin(): number {
    return this.#count;
  }

  /** What this user has approved until now leads to nothing, also when the account is used again at once. */
  endThoseOf(userId: string): void {
    this.#ended.set(userId, ++this.#count);
  }

  /** @throws SpoonError `sign-in-code-invalid` when those of the user were ended since */
  requireValid({ userId, begun }: Shown): void {
    if ((this.#ended.get(userId) ?? 0) > begun) throw new SpoonError('sign-in-code-invalid');
  }

  /** @returns where the browser goes next */
  grant(who: Shown, request: SignInRequest): string {
    this.#dropExpired();
    makeRoom(this.#codes);
    const code = randomBase62(secretCharacters, randomBytes);
    this.#codes.set(hashOf(code), { who, request, expiresMs: this.#now() + signInCodeLifeMs });
    const query = new URLSearchParams({ code, state: request.state });
    return `${request.redirectUri}${request.redirectUri === adminPagePath ? '#' : '?'}${query}`;
  }

  /** Uses the code up, also when the rest is wrong. @throws SpoonError `sign-in-code-invalid` */
  exchange(wanted: { code: string; codeVerifier: string; redirectUri: string }): SignedIn {
    this.#dropExpired();
    const hash = hashOf(wanted.code);
    const found = this.#codes.get(hash);
    this.#codes.delete(hash);
    const challenge = createHash('sha256').update(wanted.codeVerifier).digest();
    const isRight =
      found !== undefined &&
      found.request.redirectUri === wanted.redirectUri &&
      timingSafeEqual(challenge, Buffer.from(found.request.challenge, 'base64url'));
    if (!isRight) throw new SpoonError('sign-in-code-invalid');
    this.requireValid(found.who);
    const { clientName, kind } = found.request;
    return { who: found.who, clientName, kind };
  }

  requestDevice(
    clientName: string,
    address: string,
    kind: TokenKind = 'user',
  ): { deviceCode: string; userCode: string } {
    this.#dropExpired();
    makeRoom(this.#devices);
    const deviceCode = randomBase62(secretCharacters, randomBytes);
    const letters = Array.from({ length: 8 }, () => userCodeLetters[randomInt(userCodeLetters.length)]).join('');
    const nowMs = this.#now();
    this.#devices.set(hashOf(deviceCode), {
      userCode: letters,
      clientName: shownName(clientName),
      kind,
      address,
      createdMs: Date.now(),
      expiresMs: nowMs + deviceCodeLifeMs,
      askedMs: nowMs - deviceIntervalMs,
    });
    return { deviceCode, userCode: `${letters.slice(0, 4)}-${letters.slice(4)}` };
  }

  /**
   * For a user who has shown the password: which program it is that the typed code belongs to, and what confirms the answer.
   * @throws SpoonError `sign-in-code-invalid`, `too-many-requests` after five wrong ones
   */
  findDevice(who: Shown, typed: string): { confirm: string; device: Omit<Device, 'asked' | 'answer'> } {
    this.#dropExpired();
    const { userId } = who;
    const wrong = this.#wrong.get(userId);
    if (wrong !== undefined && wrong.count >= maxWrongUserCodes) {
      const retryAfterSeconds = Math.ceil((wrong.untilMs - this.#now()) / 1000);
      throw new SpoonError('too-many-requests', undefined, { extra: { retryAfterSeconds } });
    }
    const letters = typed.toUpperCase().replaceAll(/[^A-Z]/g, '');
    const device = [...this.#devices.values()].find(({ userCode, answer }) => userCode === letters && !answer);
    if (device === undefined) {
      this.#wrong.set(userId, { count: (wrong?.count ?? 0) + 1, untilMs: this.#now() + deviceCodeLifeMs });
      throw new SpoonError('sign-in-code-invalid', 'Compare it with what the program shows.');
    }
    const confirm = randomBase62(secretCharacters, randomBytes);
    device.asked = { confirm, who };
    return { confirm, device };
  }

  /** @throws SpoonError `sign-in-code-invalid` */
  answerDevice(confirm: string, answer: 'approve' | 'deny'): { clientName: string } {
    this.#dropExpired();
    const device = [...this.#devices.values()].find(({ asked }) => asked !== undefined && asked.confirm === confirm);
    if (device?.asked === undefined) throw new SpoonError('sign-in-code-invalid');
    this.requireValid(device.asked.who);
    device.answer = answer === 'approve' ? device.asked.who : 'denied';
    delete device.asked;
    return { clientName: device.clientName };
  }

  /** @throws SpoonError `sign-in-pending`, `slow-down`, `sign-in-denied`, `sign-in-code-invalid` */
  exchangeDevice(deviceCode: string): SignedIn {
    this.#dropExpired();
    const hash = hashOf(deviceCode);
    const device = this.#devices.get(hash);
    if (device === undefined) throw new SpoonError('sign-in-code-invalid');
    const nowMs = this.#now();
    const isTooSoon = nowMs - device.askedMs < deviceIntervalMs / 2;
    device.askedMs = nowMs;
    if (device.answer === undefined) {
      if (!isTooSoon) throw new SpoonError('sign-in-pending');
      throw new SpoonError('slow-down', undefined, { extra: { retryAfterSeconds: deviceIntervalMs / 1000 } });
    }
    this.#devices.delete(hash);
    if (device.answer === 'denied') throw new SpoonError('sign-in-denied');
    this.requireValid(device.answer);
    return { who: device.answer, clientName: device.clientName, kind: device.kind };
  }

  #dropExpired(): void {
    const nowMs = this.#now();
    for (const map of [this.#codes, this.#devices]) {
      for (const [key, { expiresMs }] of map) if (expiresMs <= nowMs) map.delete(key);
    }
    for (const [key, { untilMs }] of this.#wrong) if (untilMs <= nowMs) this.#wrong.delete(key);
  }
}

/** The oldest gives way: who floods the door must not close it. */
function makeRoom(map: Map<string, unknown>): void {
  for (const oldest of map.keys()) {
    if (map.size < maxUnderWay) break;
    map.delete(oldest);
  }
}

function hashOf(secret: string): string {
  return createHash('sha256').update(secret).digest('base64');
}

/** Anybody can ask under any name; at least it is one line of text. */
function shownName(name: string): string {
  return onOneLine(name).trim().slice(0, 100) || 'A program';
}
