import { element, setText } from './element.js';
import { Table } from './table.js';
import { dateText, diskText, holdersText, inBytes, memoryText, timeText } from './words.js';

/** @import { AdminStatus, AdminUser, BoxSummary } from '../../protocol/admin.ts' */
/** @typedef {{ stopBox: (box: BoxSummary) => void, disableUser: (user: AdminUser) => void }} Acts */

/** How the service stands: health, boxes, users. Text of others is set as text, never as markup. */
export class Overview {
  #boxes = new Table(element('boxes-table', HTMLTableElement), [
    'Box of',
    'State',
    'In use by',
    'CPU',
    'Memory',
    'Processes',
    'Started',
    'Stops',
    '',
  ]);
  #users = new Table(element('users-table', HTMLTableElement), [
    'Username',
    'Name',
    'May sign in',
    'Last here',
    'Box',
    'Dotfiles',
    '',
  ]);
  #find = element('find', HTMLInputElement);
  #acts;
  /** @type {readonly AdminUser[]} */
  #known = [];

  /** @param {Acts} acts */
  constructor(acts) {
    this.#acts = acts;
    this.#find.oninput = () => this.showUsers(this.#known);
  }

  /** @param {AdminStatus} status */
  showStatus({ health, startedMs, disks }) {
    const { problems, version, apiVersion, engine } = health;
    const told = element('health', HTMLElement);
    const isWell = problems.length === 0;
    setText(told, isWell ? '✓ Well' : problems.length === 1 ? '⚠ 1 problem' : `⚠ ${problems.length} problems`);
    told.classList.toggle('well', isWell);
    told.classList.toggle('bad', !isWell);
    const list = element('problems', HTMLElement);
    list.hidden = isWell;
    fillList(list, 'li', problems);
    fillList(element('facts', HTMLElement), 'dt', [
      'Version',
      `Spoon ${version}, API ${apiVersion}`,
      'Boxes',
      engine === 'none' ? 'none can run here' : engine === 'docker' ? 'on Docker' : 'as processes of this machine',
      'Up since',
      `${timeText(startedMs)} (${dateText(startedMs)})`,
      ...disks.map(diskText).flatMap(({ label, text }) => [label, text]),
    ]);
  }

  /** @param {readonly BoxSummary[]} all */
  showBoxes(all) {
    const inUse = all.filter(({ state }) => state !== 'stopped');
    setText(element('boxes-count', HTMLElement), inUse.length === 0 ? '' : `${inUse.length} of ${all.length} in use`);
    element('boxes-none', HTMLElement).hidden = inUse.length > 0;
    element('boxes-table', HTMLElement).hidden = inUse.length === 0;
    this.#boxes.fill(
      inUse.map((box) => {
        const { username, state, startedMs, stopsAtMs, load } = box;
        return {
          key: username,
          cells: [
            { text: username },
            { text: state, isBad: state === 'failed' },
            { text: holdersText(box) },
            { text: load === undefined ? '' : `${load.cpuPercent} %` },
            { text: load === undefined ? '' : memoryText(load) },
            { text: load === undefined ? '' : String(load.processes) },
            startedMs === null ? { text: '' } : { text: timeText(startedMs), title: dateText(startedMs) },
            { text: stopsAtMs === null || stopsAtMs === undefined ? '' : `${timeText(stopsAtMs)} unless used` },
          ],
          action: { label: 'Stop…', about: `the box of ${username}`, act: () => this.#acts.stopBox(box) },
        };
      }),
    );
  }

  /** @param {readonly AdminUser[]} users */
  showUsers(users) {
    this.#known = users;
    const disabled = users.filter((user) => user.disabled).length;
    setText(
      element('users-count', HTMLElement),
      disabled === 0 ? `${users.length}` : `${users.length}, ${disabled} disabled`,
    );
    const wanted = this.#find.value.trim().toLowerCase();
    const found = users.filter(({ username, displayName }) =>
      `${username}\n${displayName}`.toLowerCase().includes(wanted),
    );
    const none = element('users-none', HTMLElement);
    none.hidden = found.length > 0;
    element('users-table', HTMLElement).hidden = found.length === 0;
    setText(
      none,
      users.length === 0 ? 'There are no users yet. “spoonctl users add” makes one.' : 'Nobody is called so.',
    );
    this.#users.fill(found.map((user) => this.#userRow(user)));
  }

  clear() {
    this.#find.value = '';
    this.showBoxes([]);
    this.showUsers([]);
    for (const id of ['health', 'problems', 'facts']) element(id, HTMLElement).replaceChildren();
  }

  /** @param {AdminUser} user */
  #userRow(user) {
    const { username, displayName, disabled, admin, lastUsedMs, box, dotfiles, storedBytes } = user;
    const row = {
      key: username,
      cells: [
        { text: username },
        { text: displayName },
        { text: disabled ? 'no, disabled' : admin ? 'yes, administrator' : 'yes', isBad: disabled },
        lastUsedMs === null ? { text: 'never' } : { text: timeText(lastUsedMs), title: dateText(lastUsedMs) },
        { text: box },
        { text: `${dotfiles} (${inBytes(storedBytes)})`, title: 'What they take with all their versions' },
      ],
    };
    if (disabled) return row;
    return { ...row, action: { label: 'Disable…', about: username, act: () => this.#acts.disableUser(user) } };
  }
}

/**
 * @param {HTMLElement} list
 * @param {'li' | 'dt'} tag of the first; a `dt` is followed by its `dd`
 * @param {readonly string[]} texts
 */
function fillList(list, tag, texts) {
  while (list.children.length > texts.length) list.lastElementChild?.remove();
  for (const [index, text] of texts.entries()) {
    const known = list.children[index];
    const item =
      known instanceof HTMLElement ? known : document.createElement(tag === 'dt' && index % 2 === 1 ? 'dd' : tag);
    setText(item, text);
    if (item.parentElement === null) list.append(item);
  }
}
