import type { TokenKind } from '../../protocol/identity.ts';
import { adminPagePath } from '../../protocol/signIn.ts';
import type { SignInRequest } from './signIns.ts';

/**
 * The few pages of the service: server-rendered forms that work without scripts. Everything that came from outside goes
 * through {@link html}, which leaves nothing of it that a browser could take for markup.
 */

class Markup {
  readonly text: string;
  constructor(text: string) {
    this.text = text;
  }
}

const entities: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&#39;',
};

type Part = string | Markup | readonly Markup[] | undefined;

function html(strings: TemplateStringsArray, ...parts: readonly Part[]): Markup {
  const shown = parts.map((part) => {
    if (part === undefined) return '';
    if (part instanceof Markup) return part.text;
    if (typeof part === 'string') return part.replaceAll(/[&<>"']/g, (character) => entities[character] ?? '');
    return part.map(({ text }) => text).join('');
  });
  return new Markup(strings.map((text, index) => text + (shown[index] ?? '')).join(''));
}

export interface PageText {
  /** What went wrong with what was sent last. */
  readonly problem?: string | undefined;
  readonly username?: string | undefined;
}

/** Whose other ways there are. */
export interface Ways {
  /** Name of the sign-in provider. */
  readonly provider?: string | undefined;
}

function page(title: string, content: Markup, head?: Markup): string {
  return html`<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>${title} – Spoon</title>
<link rel="stylesheet" href="/sign-in/page.css">
${head}
</head>
<body>
<main>
<p class="name">Spoon</p>
<h1>${title}</h1>
${content}
</main>
</body>
</html>
`.text;
}

function problemOf(text: string | undefined): Markup | undefined {
  return text === undefined ? undefined : html`<p class="problem" role="alert">${text}</p>`;
}

function hiddenFields(fields: Readonly<Record<string, string>>): Markup[] {
  return Object.entries(fields).map(([name, value]) => html`<input type="hidden" name="${name}" value="${value}">`);
}

/** Takes the form it is in to the provider, whether or not its password is filled in. */
function providerButton({ provider }: Ways, wording: (name: string) => string): Markup | undefined {
  if (provider === undefined) return undefined;
  return html`<button type="submit" class="quiet" formaction="/sign-in/oidc" formnovalidate>${wording(provider)}</button>`;
}

const passwordField = html`<label for="password">Password</label>
<input id="password" name="password" type="password" autocomplete="current-password" required>`;

function usernameField(value = ''): Markup {
  return html`<label for="username">Username</label>
<input id="username" name="username" value="${value}" autocomplete="username" autocapitalize="none" spellcheck="false" required autofocus>`;
}

/** @param fields what the program asked for, sent back with the form */
export function signInPage(
  { clientName, kind, redirectUri }: Pick<SignInRequest, 'clientName' | 'kind' | 'redirectUri'>,
  fields: Readonly<Record<string, string>>,
  text: PageText & Ways = {},
): string {
  const wish = kind === 'admin' ? 'administer the service as you, for at most 8 hours' : 'act as you';
  const asking =
    redirectUri === adminPagePath
      ? html`<p>To administer this service in this browser, for at most 8 hours or until that page is closed.</p>`
      : html`<p><strong>${clientName}</strong> on this machine wants to ${wish}. Go on only if you have just started it.</p>`;
  return page(
    kind === 'admin' ? 'Sign in as administrator' : 'Sign in',
    html`${asking}
${problemOf(text.problem)}
<form method="post" action="/sign-in">
${hiddenFields(fields)}
${usernameField(text.username)}
${passwordField}
<button type="submit">Sign in</button>
${providerButton(text, (name) => `Sign in with ${name}`)}
</form>
<p class="small">No password yet, or forgotten? Your administrator can make you an invite.</p>`,
  );
}

/** Back to VS Code: the system asks first, so there is also something to click. */
export function openEditorPage(address: string): string {
  return page(
    'Signed in',
    html`<p>VS Code goes on from here.</p><p><a class="button" href="${address}">Open VS Code</a></p>
<p class="small">This page can be closed then.</p>`,
    html`<meta http-equiv="refresh" content="0;url=${address}">`,
  );
}

/** By a page and not a redirect: browsers hold that against where a form may lead, whatever the provider does next. */
export function leavePage(provider: string, address: string): string {
  return page(
    `Going to ${provider}`,
    html`<p><a class="button" href="${address}">Go on to ${provider}</a></p>`,
    html`<meta http-equiv="refresh" content="0;url=${address}">`,
  );
}

/** Filled in and hidden by the script; typed where scripts are off. */
const inviteField = html`<div id="invite-row"><label for="invite">Invite: what follows # in the link</label>
<input id="invite" name="invite" autocomplete="off" spellcheck="false" required></div>`;

export function invitePage(invite: string, text: PageText & Ways = {}): string {
  return page(
    'Choose a password',
    html`<p>At least 12 characters; several words are easier to keep in mind than signs.</p>
${problemOf(text.problem)}
<form method="post" action="/sign-in/invite">
${invite === '' ? inviteField : hiddenFields({ invite })}
<label for="new-password">Password</label>
<input id="new-password" name="password" type="password" autocomplete="new-password" minlength="12" required>
<label for="again">The same once more</label>
<input id="again" name="again" type="password" autocomplete="new-password" minlength="12" required>
<button type="submit">Save</button>
${providerButton(text, (name) => `Use ${name} instead of a password`)}
</form>`,
    html`<script src="/sign-in/invite.js" defer></script>`,
  );
}

export function invitedPage(username: string, url: string): string {
  return page(
    'Done',
    html`<p>Your username is <strong>${username}</strong>. Sign in from VS Code with <em>Spoon: Sign In…</em>, or in a shell:</p>
<pre>spoonctl login --url ${url}</pre>`,
  );
}

export function devicePage(text: PageText & Ways = {}): string {
  return page(
    'Connect a program',
    html`<p>Type the code that the program shows. Do this only for a program that you have started yourself.</p>
${problemOf(text.problem)}
<form method="post" action="/sign-in/device">
<label for="user-code">Code</label>
<input id="user-code" class="code" name="user_code" autocomplete="off" autocapitalize="characters" spellcheck="false" required autofocus>
<label for="username">Username</label>
<input id="username" name="username" value="${text.username}" autocomplete="username" autocapitalize="none" spellcheck="false" required>
${passwordField}
<button type="submit">Go on</button>
${providerButton(text, (name) => `Go on with ${name}`)}
</form>`,
  );
}

export interface AskingDevice {
  readonly userCode: string;
  readonly clientName: string;
  readonly address: string;
  readonly kind: TokenKind;
  readonly createdMs: number;
}

export function confirmDevicePage(username: string, confirm: string, device: AskingDevice): string {
  const wish = device.kind === 'admin' ? 'administer the service for 8 hours' : 'do everything that you can';
  const code = `${device.userCode.slice(0, 4)}-${device.userCode.slice(4)}`;
  return page(
    'Let it sign in?',
    html`<p>It will be able to ${wish}, as <strong>${username}</strong>.</p>
<dl><dt>Program</dt><dd>${device.clientName}</dd><dt>Asked from</dt><dd>${device.address}</dd>
<dt>At</dt><dd>${new Date(device.createdMs).toUTCString()}</dd><dt>Code</dt><dd class="code">${code}</dd></dl>
<p>If the program shows another code, or you did not start it, refuse.</p>
<form method="post" action="/sign-in/device/answer">
${hiddenFields({ confirm })}
<button type="submit" name="answer" value="approve">Let it sign in</button>
<button type="submit" class="quiet" name="answer" value="deny">Refuse</button>
</form>`,
  );
}

export function answeredPage(clientName: string, isApproved: boolean): string {
  return page(
    isApproved ? 'Signed in' : 'Refused',
    html`<p>${clientName} ${isApproved ? 'is signed in.' : 'was not signed in.'} This page can be closed.</p>`,
  );
}

export function refusedPage(title: string, detail: string | undefined): string {
  return page('This did not work', html`<p>${title} ${detail}</p><p>Start again from the program.</p>`);
}

export const pageStyle = `:root { color-scheme: light dark; --text: #1f2328; --quiet: #59636e; --ground: #f6f8fa; --card: #fff;
  --line: #d1d9e0; --accent: #0969da; --problem: #d1242f; }
@media (prefers-color-scheme: dark) { :root { --text: #f0f6fc; --quiet: #9198a1; --ground: #0d1117; --card: #151b23;
  --line: #3d444d; --accent: #4493f8; --problem: #f85149; } }
* { box-sizing: border-box; }
body { margin: 0; font: 16px/1.5 system-ui, sans-serif; color: var(--text); background: var(--ground); }
main { max-width: 26rem; margin: 8vh auto; padding: 2rem; background: var(--card); border: 1px solid var(--line); border-radius: 12px; }
h1 { margin: 0 0 1rem; font-size: 1.5rem; line-height: 1.25; }
.name { margin: 0 0 .25rem; color: var(--quiet); letter-spacing: .02em; }
.small { color: var(--quiet); font-size: .875rem; }
.problem { padding: .5rem .75rem; border-left: 3px solid var(--problem); color: var(--problem); }
label { display: block; margin: 1rem 0 .25rem; font-weight: 600; }
input { width: 100%; padding: .5rem .75rem; font: inherit; color: inherit; background: var(--ground);
  border: 1px solid var(--line); border-radius: 6px; }
input:focus-visible, button:focus-visible, a:focus-visible { outline: 2px solid var(--accent); outline-offset: 1px; }
button, .button { display: block; width: 100%; margin-top: 1.25rem; padding: .6rem 1rem; font: inherit; font-weight: 600;
  text-align: center; text-decoration: none; color: #fff; background: #0969da; border: 1px solid transparent;
  border-radius: 6px; cursor: pointer; }
button.quiet { margin-top: .75rem; color: var(--text); background: transparent; border-color: var(--line); }
.code { font-family: ui-monospace, monospace; letter-spacing: .1em; text-transform: uppercase; }
pre { overflow-x: auto; padding: .75rem; background: var(--ground); border: 1px solid var(--line); border-radius: 6px; }
dl { display: grid; grid-template-columns: max-content 1fr; gap: .25rem 1rem; }
dt { color: var(--quiet); }
dd { margin: 0; overflow-wrap: anywhere; }
[hidden] { display: none; }
`;

/** The invite is in the fragment, which is sent to nobody: from there into the form, and out of the address and the history. */
export const inviteScript = `const invite = decodeURIComponent(location.hash.slice(1));
const field = document.getElementById('invite');
if (invite !== '' && field !== null) {
  field.value = invite;
  document.getElementById('invite-row').hidden = true;
  history.replaceState(null, '', location.pathname);
  document.getElementById('new-password').focus();
}
`;
