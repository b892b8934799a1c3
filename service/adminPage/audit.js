import { element, setText } from './element.js';
import { Table } from './table.js';
import { actorText, dateText, detailsText, resultText, timeText } from './words.js';

/** @import { AuditEntry, AuditPage, AuditReport } from '../../protocol/audit.ts' */
/** @import { Session } from './session.js' */

const pageEntries = 50;

/** Who did what, newest first, page by page. */
export class AuditSection {
  #session;
  #table = new Table(element('audit-table', HTMLTableElement), [
    'Entry',
    'When',
    'What',
    'Result',
    'Who',
    'Of whom',
    'More',
    'From',
  ]);
  #newer = element('newer', HTMLButtonElement);
  #older = element('older', HTMLButtonElement);
  /** The newest entry of the page; undefined: of all there are. @type {number | undefined} */
  #top;
  #first = 0;
  #last = 0;
  /** Of all, as last heard of. */
  #head = 0;
  /** Older ones are no longer kept. */
  #removedTo = 0;

  /** @param {Session} session @param {(work: () => Promise<void>) => void} run */
  constructor(session, run) {
    this.#session = session;
    this.#newer.onclick = () => run(() => this.#turn(this.#last + pageEntries));
    this.#older.onclick = () => run(() => this.#turn(this.#first - 1));
    const verify = element('verify', HTMLButtonElement);
    verify.onclick = () =>
      run(async () => {
        verify.disabled = true;
        try {
          await this.#verify();
        } finally {
          verify.disabled = false;
        }
      });
  }

  /** The page that is shown, again. An older one does not change, but for what is no longer kept. */
  async ask() {
    const top = this.#top;
    const after = top === undefined ? 0 : Math.max(this.#removedTo, top - pageEntries);
    const query = top === undefined ? `limit=${pageEntries}` : `after=${after}&limit=${Math.max(1, top - after)}`;
    /** @type {AuditPage} */
    const { entries, removedTo = 0 } = await this.#session.call('GET', `/v1/admin/audit?${query}`);
    this.#removedTo = removedTo;
    if (top === this.#top) this.#show(entries.toReversed());
  }

  clear() {
    this.#top = undefined;
    this.#show([]);
    setText(element('verified', HTMLElement), '');
  }

  /** @param {number} top */
  async #turn(top) {
    this.#top = top >= this.#head ? undefined : top;
    await this.ask();
    element('audit-title', HTMLElement).focus();
  }

  async #verify() {
    const told = element('verified', HTMLElement);
    setText(told, 'Looking at every entry…');
    told.className = '';
    try {
      /** @type {AuditReport} */
      const { entries, removed, fault } = await this.#session.call('POST', '/v1/admin/audit/verify', {});
      told.className = fault === null ? 'well' : 'bad';
      setText(
        told,
        fault === null
          ? `All ${entries} entries are as they were written, and none is missing before the last.${goneText(removed)}`
          : `Entry ${fault.seq} is not as it was written. ${fault.why}`,
      );
    } catch (error) {
      setText(told, '');
      throw error;
    }
  }

  /** @param {readonly AuditEntry[]} entries newest first */
  #show(entries) {
    this.#last = entries[0]?.seq ?? 0;
    this.#first = entries.at(-1)?.seq ?? 0;
    this.#head = this.#top === undefined ? this.#last : Math.max(this.#head, this.#last);
    this.#table.fill(
      entries.map((entry) => ({
        key: String(entry.seq),
        cells: [
          { text: String(entry.seq) },
          { text: timeText(entry.timeMs), title: dateText(entry.timeMs) },
          { text: entry.event },
          { text: resultText(entry), isBad: entry.result === 'refused' },
          { text: actorText(entry) },
          { text: entry.object ?? '' },
          { text: detailsText(entry) },
          { text: entry.address ?? '', title: entry.userAgent ?? '' },
        ],
      })),
    );
    element('audit-none', HTMLElement).hidden = entries.length > 0;
    element('audit-table', HTMLElement).hidden = entries.length === 0;
    setText(
      element('audit-range', HTMLElement),
      entries.length === 0 ? '' : `${this.#last} to ${this.#first} of ${this.#head}, newest first`,
    );
    this.#newer.disabled = this.#top === undefined;
    this.#older.disabled = this.#first <= this.#removedTo + 1;
  }
}

/** @param {AuditReport['removed']} removed */
function goneText(removed) {
  return removed ? ` Those up to ${removed.to} are no longer kept.` : '';
}
