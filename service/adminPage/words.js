/** @import { BoxLoad, BoxSummary, DiskSpace } from '../../protocol/admin.ts' */
/** @import { AuditEntry } from '../../protocol/audit.ts' */

/** The words of the Service view in VS Code, for the same things. */

const nearlyFull = 0.1;

/** @type {Readonly<Record<string, readonly [one: string, many: string]>>} */
const holderWords = {
  viewer: ['terminal that somebody looks at', 'terminals that somebody looks at'],
  terminal: ['busy terminal', 'busy terminals'],
  command: ['command', 'commands'],
  job: ['job', 'jobs'],
  pin: ['wish of its user', 'wishes of its user'],
};

/** @type {readonly (readonly [unit: Intl.RelativeTimeFormatUnit, ms: number])[]} */
const units = [
  ['day', 86_400_000],
  ['hour', 3_600_000],
  ['minute', 60_000],
];
/** Longer ago, the date says more. */
const maxDays = 14;
const relative = new Intl.RelativeTimeFormat('en', { numeric: 'auto' });

/** @param {number} bytes */
export function inBytes(bytes) {
  const names = ['B', 'KiB', 'MiB', 'GiB'];
  const power = Math.min(names.length - 1, Math.floor(Math.log2(Math.max(1, bytes)) / 10));
  const value = bytes / 1024 ** power;
  return `${power === 0 || value >= 10 ? Math.round(value) : value.toFixed(1)} ${names[power]}`;
}

/** @param {number} ms */
export function dateText(ms) {
  return new Date(ms).toLocaleString(undefined, { dateStyle: 'medium', timeStyle: 'medium' });
}

/** @param {number} ms */
export function clockText(ms) {
  return new Date(ms).toLocaleTimeString(undefined, { timeStyle: 'short' });
}

/** @param {number} thenMs */
export function timeText(thenMs) {
  const away = thenMs - Date.now();
  if (Math.abs(away) > maxDays * 86_400_000) return dateText(thenMs);
  if (Math.abs(away) < 60_000) return away > 0 ? 'within a minute' : 'just now';
  const [unit, ms] = units.find(([, size]) => Math.abs(away) >= size) ?? ['minute', 60_000];
  return relative.format(Math.round(away / ms), unit);
}

/** @param {BoxSummary} box */
export function holdersText({ holders = [] }) {
  return holders
    .map(({ kind, count }) => {
      const [one, many] = holderWords[kind] ?? [kind, kind];
      return `${count} ${count === 1 ? one : many}`;
    })
    .join(', ');
}

/** @param {BoxLoad} load */
export function memoryText({ memoryBytes, memoryLimitBytes }) {
  return `${inBytes(memoryBytes)} of ${inBytes(memoryLimitBytes)}`;
}

/** @param {DiskSpace} disk @returns {{ label: string, text: string, isShort: boolean }} */
export function diskText({ holds, freeBytes, totalBytes }) {
  const isShort = totalBytes > 0 && freeBytes / totalBytes < nearlyFull;
  const label = holds === 'all' ? 'Disk' : holds === 'database' ? 'Disk of the database' : 'Disk of the homes';
  const text = `${inBytes(freeBytes)} of ${inBytes(totalBytes)} free${isShort ? ', nearly full' : ''}`;
  return { label, text, isShort };
}

/** @param {AuditEntry} entry */
export function actorText({ actor: { kind, username } }) {
  if (kind === 'service') return 'Spoon itself';
  if (kind === 'operator') return 'on the service’s machine';
  if (kind === 'admin') return username === null ? 'a token of administrators' : `${username}, administrator`;
  return username ?? kind;
}

/** @param {AuditEntry} entry */
export function detailsText({ details = {} }) {
  return Object.entries(details)
    .map(([name, value]) => `${name}: ${value}`)
    .join(', ');
}

/** @param {AuditEntry} entry */
export function resultText({ result, code }) {
  return code === null ? result : `${result}: ${code}`;
}
