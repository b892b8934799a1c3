import type { Route } from './route.ts';
import { adminPagePath } from './signIn.ts';

/** The web page for administrators. What it shows it asks for by the routes that others use too, with a token. */
export const adminPageRoutes = {
  adminPage: {
    method: 'GET',
    path: adminPagePath,
    scope: 'public',
    summary: 'The page for administrators without VS Code; it shows nothing to who is not signed in',
    bytes: 'response',
  },
  adminPageFile: {
    method: 'GET',
    path: `${adminPagePath}/:file`,
    scope: 'public',
    summary: 'Style and scripts of that page',
    bytes: 'response',
  },
} as const satisfies Record<string, Route>;
