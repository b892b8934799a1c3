import { SpoonError } from '../protocol/errors.ts';
import type { BoxUser } from './boxes/boxes.ts';
import type { Account, Users } from './identity/users.ts';

export function toBoxUser({ id, username, uid, shell }: Account): BoxUser {
  return { userId: id, username, uid, shell };
}

/** Whose box it is, by id. What it returns throws SpoonError `not-found`, `user-disabled`. */
export function boxUserFinder(users: Pick<Users, 'byId'>): (userId: string) => Promise<BoxUser> {
  return async (userId) => {
    const account = await users.byId(userId);
    if (account === undefined) throw new SpoonError('not-found');
    // A request that was under way: it must not start again what disabling has just ended.
    if (account.disabled) throw new SpoonError('user-disabled');
    return toBoxUser(account);
  };
}
