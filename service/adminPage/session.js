/** @import { CreatedToken } from '../../protocol/identity.ts' */
/** @import { Problem } from '../../protocol/problem.ts' */

/** Over the way to the sign-in and back: what shows that it was begun here. Worth nothing without the code, and used once. */
const keptName = 'spoon.sign-in';
const pagePath = '/admin';
const requestMs = 60_000;
const ended = new Set(['unauthenticated', 'token-expired', 'user-disabled', 'insufficient-scope']);

/** The service refused, or did not answer: the message is for a person. */
export class Refused extends Error {}
/** Nobody is signed in any more: there is nothing to say beyond that. */
export class Left extends Error {}

/**
 * The token is here and nowhere else: in no storage, no cookie and no address. It ends with the page, or after hours; a request
 * that another page makes the browser send has none.
 */
export class Session {
  /** @type {string | undefined} */
  #token;
  #endsMs = 0;
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  #timer;
  /** @type {(why: string) => void} */
  #onEnd;

  /** @param {(why: string) => void} onEnd told when nobody is signed in any more, with the reason */
  constructor(onEnd) {
    this.#onEnd = onEnd;
    // A token that nobody can use any more is no reason to leave it alive for hours.
    addEventListener('pagehide', () => {
      if (this.#token === undefined) return;
      this.#revoke(true).catch(() => undefined);
      this.#end('The page was left.');
    });
  }

  get isOpen() {
    return this.#token !== undefined;
  }

  get endsMs() {
    return this.#endsMs;
  }

  /** Leaves for the pages of the service that ask who it is. @throws {Refused} where the browser cannot do that safely */
  async begin() {
    // Browsers have no hashes elsewhere, and a password would travel in the clear.
    if (!isSecureContext) throw new Refused('Open this page by https://, or on the service’s own machine.');
    const verifier = randomText();
    const state = randomText();
    const digest = await crypto.subtle.digest('SHA-256', new TextEncoder().encode(verifier));
    sessionStorage.setItem(keptName, JSON.stringify({ verifier, state }));
    const query = new URLSearchParams({
      redirect_uri: pagePath,
      state,
      code_challenge: base64url(new Uint8Array(digest)),
      code_challenge_method: 'S256',
      kind: 'admin',
    });
    location.assign(`/sign-in?${query}`);
  }

  /**
   * Back from there, with a code in the fragment, which leaves the address and the history at once.
   * @returns {Promise<boolean>} false: nobody comes from there
   * @throws {Refused}
   */
  async resume() {
    const given = new URLSearchParams(location.hash.slice(1));
    const code = given.get('code');
    if (code === null) return false;
    history.replaceState(null, '', pagePath);
    const kept = JSON.parse(sessionStorage.getItem(keptName) ?? '{}');
    sessionStorage.removeItem(keptName);
    if (kept.state === undefined || kept.state !== given.get('state')) {
      throw new Refused('That sign-in was not begun on this page. Sign in again.');
    }
    const body = { code, codeVerifier: kept.verifier, redirectUri: pagePath };
    /** @type {CreatedToken} */
    const { token, info } = await this.#ask('POST', '/v1/sign-in/token', { body });
    // By the difference: this machine's clock may be another than the service's.
    const lifeMs = info.expiresMs - info.createdMs;
    this.#token = token;
    this.#endsMs = Date.now() + lifeMs;
    this.#timer = setTimeout(() => this.#end('Your sign-in has ended: it lasts 8 hours.'), lifeMs);
    return true;
  }

  /**
   * A request as the administrator who is signed in.
   * @param {'GET' | 'POST'} method
   * @param {string} path
   * @param {unknown} [body]
   * @returns {Promise<any>}
   * @throws {Refused | Left}
   */
  async call(method, path, body) {
    const token = this.#token;
    if (token === undefined) throw new Left();
    const [asked] = await Promise.allSettled([this.#ask(method, path, { token, body })]);
    // What is answered to who has left meanwhile is for nobody.
    if (this.#token !== token) throw new Left();
    if (asked.status === 'rejected') throw asked.reason;
    return asked.value;
  }

  async signOut() {
    const token = this.#token;
    if (token === undefined) return;
    try {
      await this.#revoke(false);
      this.#end('You are signed out.');
    } catch (error) {
      if (error instanceof Left) return;
      this.#end(`You are signed out here. The service could not be told; there it ends within 8 hours.`);
    }
  }

  /** @param {boolean} isLeaving the request must outlive the page */
  #revoke(isLeaving) {
    const token = this.#token ?? '';
    return this.#ask('DELETE', `/v1/admin/tokens/${token.split('_')[2]}`, { token, isLeaving });
  }

  /** @param {string} why */
  #end(why) {
    clearTimeout(this.#timer);
    if (this.#token === undefined) return;
    this.#token = undefined;
    this.#onEnd(why);
  }

  /**
   * @param {string} method
   * @param {string} path
   * @param {{ token?: string, body?: unknown, isLeaving?: boolean }} options
   * @returns {Promise<any>}
   */
  async #ask(method, path, { token, body, isLeaving = false }) {
    /** @type {Record<string, string>} */
    const headers = { accept: 'application/json, application/problem+json' };
    if (token !== undefined) headers.authorization = `Bearer ${token}`;
    if (body !== undefined) headers['content-type'] = 'application/json';
    /** @type {RequestInit} */
    const init = { method, headers, credentials: 'omit', cache: 'no-store', redirect: 'error', keepalive: isLeaving };
    if (body !== undefined) init.body = JSON.stringify(body);
    if (!isLeaving) init.signal = AbortSignal.timeout(requestMs);
    let response;
    let answer;
    try {
      response = await fetch(path, init);
      const text = await response.text();
      answer = text === '' ? undefined : JSON.parse(text);
    } catch (cause) {
      throw new Refused('The service does not answer, or something else does in its place.', { cause });
    }
    if (response.ok) return answer;
    /** @type {Partial<Problem>} */
    const { code = '', title = 'The service refused.', detail = '' } = answer ?? {};
    const words = `${title} ${detail}`.trim();
    if (token !== undefined && token === this.#token && ended.has(code)) {
      this.#end(code === 'unauthenticated' ? 'Your sign-in was ended by the service.' : words);
      throw new Left();
    }
    throw new Refused(words);
  }
}

function randomText() {
  return base64url(crypto.getRandomValues(new Uint8Array(32)));
}

/** @param {Uint8Array} bytes */
function base64url(bytes) {
  return btoa(String.fromCharCode(...bytes))
    .replaceAll('+', '-')
    .replaceAll('/', '_')
    .replaceAll('=', '');
}
