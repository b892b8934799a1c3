import type { Fetch } from '../client/apiClient.ts';
import type { OpenSocket } from '../client/socket.ts';

/** What a build of the extension brings along from where it runs; `node/main.ts` has the one for Node. */
export interface Platform {
  /** @param caPem further certificate authorities to trust, as PEM text */
  network(caPem: string | undefined): { readonly fetch: Fetch; readonly openSocket: OpenSocket };
  /** A sign-in that whoever started this VS Code has handed over, such as `npm run up -- --browser`. */
  handedSignIn(): Promise<{ readonly url: string; readonly token: string } | undefined>;
}
