import { diskOf } from './homeUsage.ts';

/** With less, a shell cannot even write its history. */
const leastFreeBytes = 1024 * 1024;

/** What a person should know who opens something in a home without room; undefined where there is some. */
export function fullHomeNote(home: string): string | undefined {
  return diskOf(home).freeBytes < leastFreeBytes
    ? 'The disk of your home is full. Delete what is large; spoonctl home usage shows it.'
    : undefined;
}
