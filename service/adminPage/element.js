/**
 * What of the page the scripts fill in.
 * @template {HTMLElement} T
 * @param {string} id
 * @param {new () => T} type
 * @returns {T}
 */
export function element(id, type) {
  const found = document.getElementById(id);
  if (!(found instanceof type)) throw new Error(`The page has no ${id}.`);
  return found;
}

/**
 * Only where it differs: a reader is not told again, and what is selected stays so.
 * @param {HTMLElement} target
 * @param {string} text
 */
export function setText(target, text) {
  if (target.textContent !== text) target.textContent = text;
}

/** @param {string} text told to who does not see the page */
export function say(text) {
  element('said', HTMLElement).textContent = text;
}
