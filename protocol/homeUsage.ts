import { type Static, Type } from 'typebox';

const bytes = Type.Integer({ minimum: 0 });

/** What takes the room in a home, the largest first. Sizes are what is used on the disk; a file of two names counts once. */
export const HomeUsage = Type.Object({
  usedBytes: bytes,
  files: Type.Integer({ minimum: 0 }),
  /** Relative to the home. A folder that is nearly all of the one above it stands for both. */
  folders: Type.Array(
    Type.Object({ path: Type.String({ maxLength: 4096 }), bytes, files: Type.Integer({ minimum: 0 }) }),
    {
      maxItems: 100,
    },
  ),
  /** Of the file system that the home is on, which others may share. */
  disk: Type.Object({ sizeBytes: bytes, freeBytes: bytes }),
  /** What the home may hold, where an administrator has set that. */
  quotaBytes: Type.Optional(bytes),
  /** The time was over before all was seen: what is listed is at least that large. */
  truncated: Type.Boolean(),
});
export type HomeUsage = Static<typeof HomeUsage>;
