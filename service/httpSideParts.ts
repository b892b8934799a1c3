import type { AccessSettings } from './accessSettings.ts';
import type { AdminRouteParts } from './admin/adminRoutes.ts';
import type { AuditTrail } from './auditTrail.ts';
import type { Backups } from './backup/backups.ts';
import type { Boxes } from './boxes/boxes.ts';
import type { BoxNetwork } from './boxes/engine.ts';
import type { Dotfiles } from './dotfiles/dotfiles.ts';
import type { DotfilesRepository } from './environment/dotfilesRepository.ts';
import type { HomeDrifts } from './environment/homeDrifts.ts';
import type { LiveOverlay } from './environment/liveOverlay.ts';
import type { RepositoryRouteParts } from './environment/repositoryRoutes.ts';
import type { GitSettings } from './gitSettings.ts';
import type { Certificate } from './http/certificate.ts';
import type { EventSubscribers } from './http/eventSubscribers.ts';
import type { HealthParts } from './http/healthRoute.ts';
import type { OidcSettings } from './identity/oidcProvider.ts';
import type { Users } from './identity/users.ts';
import type { JobSettings } from './jobSettings.ts';
import type { Keyring } from './keyring/keyring.ts';
import type { DataKeyRotations } from './keyring/rotateData.ts';
import type { Logger } from './logger.ts';
import type { Quotas } from './quotas/quotas.ts';
import type { SealedValues } from './secrets/sealedValues.ts';
import type { Secrets } from './secrets/secrets.ts';
import type { Store } from './store/database.ts';

/** What the side of the service that faces the network is made from. */
export interface HttpSideParts {
  readonly access: AccessSettings;
  readonly oidc?: OidcSettings | undefined;
  /** Undefined: plain HTTP. */
  readonly certificate?: Certificate | undefined;
  readonly data: {
    readonly store: Store;
    readonly keyring: Keyring;
    readonly users: Users;
    readonly dotfiles: Dotfiles;
    readonly sealedValues: SealedValues;
    readonly secrets: Secrets;
    readonly subscribers: EventSubscribers;
    readonly backups: Backups;
    readonly rotations: DataKeyRotations;
    readonly quotas: Quotas;
    readonly trail: AuditTrail;
  };
  readonly boxes: {
    readonly boxes: Boxes;
    readonly overlay: LiveOverlay;
    readonly repository: DotfilesRepository;
    readonly records: RepositoryRouteParts['records'];
    readonly dotfilesSwitch: RepositoryRouteParts['dotfilesSwitch'];
    readonly scratch: RepositoryRouteParts['scratch'];
    readonly drifts: HomeDrifts;
    readonly git: GitSettings;
    readonly network: BoxNetwork | undefined;
  };
  readonly jobs: JobSettings;
  readonly about: HealthParts & Pick<AdminRouteParts, 'disks' | 'adminPage'>;
  readonly log: Logger;
}
