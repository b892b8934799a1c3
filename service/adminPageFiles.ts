import { readdir, readFile } from 'node:fs/promises';
import type { AdminPage } from './admin/adminPageRoutes.ts';

/** Beside the sources, and beside the bundle that `scripts/packService.ts` makes of them. */
const folder = new URL('./adminPage/', import.meta.url);

/** At the start, so that an installation without them is found then. @throws Error of the file system */
export async function readAdminPage(): Promise<AdminPage> {
  const names = (await readdir(folder)).filter((name) => /\.(css|html|js)$/.test(name));
  const files = names.map(async (name) => [name, await readFile(new URL(name, folder), 'utf8')] as const);
  return new Map(await Promise.all(files));
}
