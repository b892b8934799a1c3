import { parseServiceUrl } from '../../client/serviceUrl.ts';
import { SpoonError } from '../../protocol/errors.ts';

/**
 * What a `vscode://spoon-dev.spoon/…` link may ask for. Anybody can write such a link, so it never signs in, opens or runs
 * anything by itself, and one that carries a credential is refused: it has been in a history by then.
 */
export type UriRoute =
  /** Offer to sign in to this service; the person is asked first, and still has to give the token. */
  { readonly kind: 'signIn'; readonly url: string } | { readonly kind: 'refused'; readonly why: string };

const credentialNames = ['token', 'code', 'access_token', 'password', 'secret', 'ticket', 'state'];

export function routeUri({ path, query }: { path: string; query: string }): UriRoute {
  const parameters = new URLSearchParams(query);
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
