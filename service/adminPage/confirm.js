import { element, setText } from './element.js';
import { Left } from './session.js';

/**
 * @typedef {object} Question
 * @property {string} title
 * @property {string} detail what ends, and what stays
 * @property {string} button
 * @property {() => Promise<unknown>} act
 */

const dialog = element('confirm', HTMLDialogElement);
const yes = element('confirm-yes', HTMLButtonElement);
const no = element('confirm-no', HTMLButtonElement);
const trouble = element('confirm-trouble', HTMLElement);

/**
 * Asks, and does it. What goes wrong is said in the question, where it can be tried again.
 * @param {Question} question
 * @returns {Promise<boolean>} whether it was done
 */
export function confirmed({ title, detail, button, act }) {
  setText(element('confirm-title', HTMLElement), title);
  setText(element('confirm-detail', HTMLElement), detail);
  setText(trouble, '');
  setText(yes, button);
  return new Promise((resolve) => {
    let isDone = false;
    let isBusy = false;
    yes.onclick = async () => {
      isBusy = true;
      yes.disabled = no.disabled = true;
      setText(trouble, '');
      try {
        await act();
        isDone = true;
        dialog.close();
      } catch (error) {
        if (error instanceof Left) dialog.close();
        else setText(trouble, error instanceof Error ? error.message : String(error));
      } finally {
        isBusy = false;
        yes.disabled = no.disabled = false;
      }
    };
    no.onclick = () => dialog.close();
    dialog.oncancel = (event) => {
      if (isBusy) event.preventDefault();
    };
    dialog.onclose = () => resolve(isDone);
    dialog.showModal();
    no.focus();
  });
}

/** Whoever is signed out is not asked any more. */
export function closeQuestion() {
  dialog.close();
}
