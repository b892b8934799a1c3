import { parseServiceUrl } from '../../client/serviceUrl.ts';
import { SpoonError } from '../../protocol/errors.ts';

/**
 * What a `vscode://spoon-dev.spoon/…` link may ask for. Anybody can write such a link, so it never signs in, opens or runs
 * anything by itself, and one that carries a credential is refused, except for the code that this very window has sent somebody
 * to get: it is of use only with what never left the window.
 */
export type UriRoute =
  /** Offer to sign in to this service; the person is asked first, and still has to give the token. */
  | { readonly kind: 'signIn'; readonly url: string }
  /** The browser comes back to a window that sent somebody there. */
  | { readonly kind: 'code'; readonly state: string; readonly code: string }
  | { readonly kind: 'refused'; readonly why: string };

const credentialNames = ['token', 'code', 'access_token', 'password', 'secret', 'ticket', 'state'];

/** @param isAwaited whether this window waits for a sign-in of this state */
export function routeUri(
  { path, query }: { path: string; query: string },
  isAwaited: (state: string) => boolean,
): UriRoute {
  const parameters = new URLSearchParams(query);
  const [code, state] = [parameters.get('code'), parameters.get('state')];
  if (path === '/auth' && code !== null && state !== null && parameters.size === 2 && isAwaited(state)) {
    return { kind: 'code', state, code };
  }
  if (credentialNames.some((name) => parameters.has(name)) || /spn_[uat]_/.test(`${path}${query}`)) {
    return refused('This window is not waiting for a sign-in, so the link was ignored. Start with Spoon: Sign In….');
  }
  if (path !== '/sign-in') return refused('Spoon does not know this kind of link. Nothing was done.');
  const url = parameters.get('url');
  if (url === null || parameters.size !== 1) return refused('The link does not name a service. Nothing was done.');
  try {
    return { kind: 'signIn', url: parseServiceUrl(url) };
  } catch (error) {
    if (!(error instanceof SpoonError)) throw error;
    return refused(error.message);
  }
}

function refused(why: string): UriRoute {
  return { kind: 'refused', why };
}
