import type { ApiClient } from '../../client/apiClient.ts';
import type { LocalDocker } from '../platform.ts';

/** How to open a folder of the box through Dev Containers, or why that cannot be. No VS Code in here. */
export type AttachPlan = { readonly authority: string } | { readonly missing: string };

const findTimeoutMs = 2_000;

export interface AttachPlace {
  /** A window of this very machine: neither a remote one nor a browser's. */
  readonly isLocalWindow: boolean;
  readonly docker: LocalDocker;
  readonly program: string;
}

/** The box must run. @throws SpoonError what the service says */
export async function planAttach(api: ApiClient, { isLocalWindow, docker, program }: AttachPlace): Promise<AttachPlan> {
  if (!isLocalWindow)
    return { missing: 'Attach to Container needs a window of VS Code on the machine that runs Docker.' };
  const { containerId } = await api.call('boxContainer');
  if (containerId === null) return { missing: 'Your box is no Docker container, so there is nothing to attach to.' };
  const answer = await docker.find({ containerId, program, timeoutMs: findTimeoutMs });
  switch (answer.found) {
    case 'here':
      return { authority: attachedAuthority(answer.name, answer.context) };
    case 'elsewhere':
      return { missing: 'Your box runs on another machine: the Docker of this one does not have it.' };
    case 'no-program':
      return { missing: `There is no ${program} command on this machine, which Attach to Container works with.` };
    case 'no-answer':
      return { missing: 'The Docker of this machine does not answer, or not to you.' };
  }
}

/**
 * Authority of `vscode-remote:` for a container, as Dev Containers itself writes it: the hex of a JSON object. Without the
 * context it asks the default one, whichever is in use.
 */
export function attachedAuthority(name: string, context?: string): string {
  const container = { containerName: `/${name}`, ...(context === undefined ? {} : { settings: { context } }) };
  const bytes = new TextEncoder().encode(JSON.stringify(container));
  return `attached-container+${Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0')).join('')}`;
}
