/** A uid without rights of its own for boxd under test; without root there is only one's own. */
export const testUid: number | undefined = process.getuid?.() === 0 ? 64_321 : undefined;
