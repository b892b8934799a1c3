import type { IncomingMessage } from 'node:http';
import { agentOf, turnedAway } from './audit/auditRoutes.ts';
import type { AuditTrail } from './auditTrail.ts';
import { networkOf } from './http/networkOf.ts';
import { peerAddress, trustOf } from './http/peerAddress.ts';
import type { UpgradeSettings } from './http/upgrade.ts';

interface Around {
  readonly trail: AuditTrail;
  readonly trustedProxies: readonly string[];
}

/** Who looks at which terminal, from when to when, and who is turned away. Never what passes, only how much. */
export function auditOfUpgrades({ trail, trustedProxies }: Around): Pick<UpgradeSettings, 'opened' | 'refused'> {
  const trusted = trustOf(trustedProxies);
  const from = (request: IncomingMessage) => ({
    address: peerAddress(request, trusted) || null,
    userAgent: agentOf(request.headers),
    requestId: null,
  });
  return {
    opened: ({ grant, target, request }, ended) => {
      if (target.kind !== 'terminal') return;
      const { userId, tokenId } = grant;
      const viewing = { object: target.id, tokenId, ...from(request) };
      const attached = trail.recordLimitedOf(userId, { event: 'terminal.attach', ...viewing }).catch(trail.onError);
      void Promise.all([ended, attached]).then(([end]) =>
        trail.besideLimitedOf(userId, { event: 'terminal.detach', ...viewing }, { ...end }),
      );
    },
    refused: (code, request) => {
      const event = turnedAway(code);
      if (event === undefined) return;
      const actor = { kind: 'nobody', userId: null, username: null, tokenId: null } as const;
      const came = from(request);
      trail.fromAnybody.note(`${code} ${networkOf({ ip: came.address ?? '' })}`, {
        ...{ event, result: 'refused', code, actor, object: null },
        ...came,
      });
    },
  };
}
