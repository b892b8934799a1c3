import { parseControl } from '../../protocol/terminalFrames.ts';
import { clampSize } from '../../protocol/terminalSize.ts';

/** What a guest may say to somebody else's terminal. Everything is made anew from what was understood (decision 2). */

/** Of whatever the message has there. */
const sizeIn = ({ columns, rows }: Readonly<Record<string, unknown>>) => clampSize({ columns, rows });

const number = (value: unknown): number | undefined =>
  typeof value === 'number' && Number.isFinite(value) ? value : undefined;

/**
 * A control message of a guest, as the box gets it.
 * @param size what the terminal has now: a guest who only looks brings none of their own
 * @returns undefined for what this guest has no say in
 * @throws SpoonError `request-invalid` for what no viewer says
 */
export function guestControl(
  text: string,
  { write, size }: { write: boolean; size: { columns: number; rows: number } },
): string | undefined {
  const message = parseControl(text);
  switch (message.type) {
    case 'attach': {
      const [offset, credit] = [number(message.offset), number(message.credit)];
      return JSON.stringify({
        type: 'attach',
        ...(write ? sizeIn(message) : { ...clampSize(size), watch: true }),
        ...(credit === undefined ? {} : { credit }),
        ...(offset === undefined ? {} : { offset }),
        snapshots: message.snapshots === true,
      });
    }
    case 'resize':
      return write ? JSON.stringify({ type: 'resize', ...sizeIn(message) }) : undefined;
    case 'ack':
      return JSON.stringify({ type: 'ack', offset: number(message.offset) ?? 0 });
    default:
      return undefined;
  }
}
