import { openNodeSocket } from '../cli/nodeSocket.ts';
import { ApiClient } from '../client/apiClient.ts';
import { CommandSession } from '../client/commandSession.ts';

export interface BoxCommandEnd {
  readonly code: number;
  readonly stdout: string;
  /** With Spoon's own word about the end, where there is one. */
  readonly stderr: string;
}

export function clientOf({ url, token }: { readonly url: string; readonly token: string }): ApiClient {
  return new ApiClient({ url, token: () => token, clientId: 'test', fetch });
}

/**
 * Runs a command in the user's box by the client that spoonctl runs it by, without the process of a spoonctl, which costs ten
 * times as much as what it does.
 * @throws SpoonError what the service refuses it with
 */
export async function runInBox(
  place: { readonly url: string; readonly token: string },
  argv: readonly string[],
): Promise<BoxCommandEnd> {
  const api = clientOf(place);
  const said = { stdout: [] as Uint8Array[], stderr: [] as Uint8Array[] };
  const session = await CommandSession.start(
    { api, openSocket: openNodeSocket },
    { argv: [...argv] },
    {
      onOutput: (channel, bytes, endOffset) => {
        said[channel].push(bytes);
        session.acknowledge(endOffset);
      },
    },
  );
  session.endStdin();
  const { code, detail = '' } = await session.exit;
  return { code, stdout: textOf(said.stdout), stderr: textOf(said.stderr) + detail };
}

function textOf(chunks: readonly Uint8Array[]): string {
  return Buffer.concat(chunks).toString();
}
