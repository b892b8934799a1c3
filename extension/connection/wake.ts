import type { Disposable } from 'vscode';

const everyMs = 5_000;
/** A timer that fires this much late did not wait for a busy moment: the machine slept. */
const jumpMs = 15_000;

/** Calls when the machine was asleep, by the wall clock: timers stand still meanwhile and connections die unnoticed. */
export function wakeOnClockJump(onWake: () => void): Disposable {
  let last = Date.now();
  const timer = setInterval(() => {
    const now = Date.now();
    if (now - last > everyMs + jumpMs) onWake();
    last = now;
  }, everyMs);
  return { dispose: () => clearInterval(timer) };
}
