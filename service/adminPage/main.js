import { AuditSection } from './audit.js';
import { closeQuestion, confirmed } from './confirm.js';
import { element, say, setText } from './element.js';
import { Overview } from './overview.js';
import { Left, Session } from './session.js';
import { clockText, holdersText } from './words.js';

/** @import { AdminUser, BoxSummary } from '../../protocol/admin.ts' */

const lookEveryMs = 10_000;

const session = new Session(showDoor);
const overview = new Overview({
  stopBox: (box) => void stopBox(box),
  disableUser: (user) => void disableUser(user),
});
const audit = new AuditSection(session, (work) => void orTrouble(work));
/** @type {readonly BoxSummary[]} */
let boxes = [];
/** One at a time: an answer that comes late does not take the place of a newer one. @type {Promise<void> | undefined} */
let asking;

/** @returns {Promise<boolean>} whether there is an answer */
function refresh() {
  asking ??= ask().finally(() => {
    asking = undefined;
  });
  const answer = asking;
  return orTrouble(() => answer);
}

async function ask() {
  const [status, users, all] = await Promise.all([
    session.call('GET', '/v1/admin/status'),
    session.call('GET', '/v1/admin/users'),
    session.call('GET', '/v1/admin/boxes'),
    audit.ask(),
  ]);
  boxes = all.boxes;
  overview.showStatus(status);
  overview.showBoxes(boxes);
  overview.showUsers(users.users);
  setText(element('as-of', HTMLElement), `As of ${new Date().toLocaleTimeString()}.`);
}

/**
 * What went wrong is said above the rest, which stays as it was.
 * @param {() => Promise<void>} work
 */
async function orTrouble(work) {
  const trouble = element('trouble', HTMLElement);
  try {
    await work();
    trouble.hidden = true;
    return true;
  } catch (error) {
    if (error instanceof Left) return false;
    setText(element('trouble-text', HTMLElement), error instanceof Error ? error.message : String(error));
    trouble.hidden = false;
    return false;
  }
}

/** @param {BoxSummary} box as it was when its row was made */
async function stopBox({ username }) {
  const box = boxes.find((known) => known.username === username);
  const holders = box === undefined ? '' : holdersText(box);
  const stays = `The home stays as it is, and ${username} may start it again.`;
  const isDone = await confirmed({
    title: `Stop the box of ${username}?`,
    detail: holders === '' ? `Nothing holds it. ${stays}` : `It is in use by ${holders}: that ends with it. ${stays}`,
    button: 'Stop Box',
    act: () => session.call('POST', `/v1/admin/boxes/${encodeURIComponent(username)}/stop`),
  });
  if (isDone) await tell(`The box of ${username} is stopped.`, 'boxes-title');
}

/** @param {AdminUser} user */
async function disableUser({ username, admin }) {
  const isDone = await confirmed({
    title: `Disable ${username}?`,
    detail: [
      `All sign-ins, terminals and the box of ${username} end now, and the password is gone. Dotfiles and home stay.`,
      admin ? `${username} is an administrator: if that is you, this sign-in ends too.` : '',
      `“spoonctl users enable ${username}” undoes it.`,
    ].join(' '),
    button: 'Disable User',
    act: () => session.call('POST', `/v1/admin/users/${encodeURIComponent(username)}/disable`),
  });
  if (isDone) await tell(`${username} is disabled.`, 'users-title');
}

/**
 * @param {string} text
 * @param {string} titleId where to go on: the button that was pressed is gone
 */
async function tell(text, titleId) {
  // An answer that was under way may be from before.
  await asking?.catch(() => undefined);
  await refresh();
  if (!session.isOpen) return;
  say(text);
  element(titleId, HTMLElement).focus();
}

/** @param {string} why */
function showDoor(why) {
  closeQuestion();
  setText(element('door-why', HTMLElement), why);
  show(false);
  boxes = [];
  overview.clear();
  audit.clear();
  element('door-title', HTMLElement).focus();
}

/** @param {boolean} isSignedIn */
function show(isSignedIn) {
  element('door', HTMLElement).hidden = isSignedIn;
  for (const id of ['inside', 'sections', 'session']) element(id, HTMLElement).hidden = !isSignedIn;
  element('trouble', HTMLElement).hidden = true;
  if (isSignedIn) setText(element('until', HTMLElement), `Signed in until ${clockText(session.endsMs)}`);
}

element('sign-in', HTMLButtonElement).onclick = () => {
  session.begin().catch((/** @type {Error} */ error) => setText(element('door-why', HTMLElement), error.message));
};
element('sign-out', HTMLButtonElement).onclick = () => void session.signOut();
element('refresh', HTMLButtonElement).onclick = () => void refresh();
element('again', HTMLButtonElement).onclick = () => void refresh();
const isLookedAt = () => session.isOpen && document.visibilityState === 'visible';
setInterval(() => isLookedAt() && void refresh(), lookEveryMs);
document.addEventListener('visibilitychange', () => isLookedAt() && void refresh());

try {
  const isSignedIn = await session.resume();
  show(isSignedIn);
  if (isSignedIn) await refresh();
} catch (error) {
  showDoor(error instanceof Error ? error.message : String(error));
}
