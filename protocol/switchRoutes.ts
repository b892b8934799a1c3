import { DotfilesSwitch, SwitchDotfilesRequest, SwitchedDotfiles } from './dotfilesSwitch.ts';
import type { Route } from './route.ts';

const path = '/v1/environment/dotfiles';

/** The part of the route table that is about dotfiles as a whole: on or off. */
export const switchRoutes = {
  dotfilesSwitch: {
    method: 'GET',
    path,
    scope: 'files:read',
    summary: 'Whether dotfiles, overlay and repository, are applied to the home',
    response: DotfilesSwitch,
  },
  switchDotfiles: {
    method: 'PUT',
    path,
    scope: 'files:write',
    audit: 'dotfiles.switch',
    summary: 'Turn all dotfiles off, and give the home back as it was without them; or on again',
    body: SwitchDotfilesRequest,
    response: SwitchedDotfiles,
  },
} as const satisfies Record<string, Route>;
