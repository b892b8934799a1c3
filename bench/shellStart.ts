import type { BenchBox } from './benchBox.ts';
import { compare, type Row } from './ratio.ts';

/** What the image's defaults may add to a bare shell. */
const allowanceMs = 60;

/** A shell on a terminal from its start to its first prompt, timed in the box itself: milliseconds. */
const script = `
import os, pty, sys, time
start = time.perf_counter()
pid, terminal = pty.fork()
if pid == 0: os.execvp("bash", ["bash", *sys.argv[1:]])
shown = b""
while not shown.endswith(b"$ "): shown += os.read(terminal, 4096)
print((time.perf_counter() - start) * 1000)`;

export function shellStart(box: BenchBox): Promise<Row> {
  const measure = async (...args: string[]): Promise<number> => {
    const exec = await box.docker.getContainer(box.containerId).exec({
      Cmd: ['python3', '-c', script, ...args],
      // A home that holds nothing: the box's own has what the other rows need.
      Env: ['TERM=dumb', 'HOME=/tmp'],
      AttachStdout: true,
      Tty: true,
    });
    const stream = await exec.start({ Tty: true });
    let text = '';
    for await (const chunk of stream) text += String(chunk);
    const took = Number(text.trim());
    if (!(took > 0)) throw new Error(`the shell said ${JSON.stringify(text)}`);
    return took;
  };
  return compare({
    name: "shell start with the image's defaults",
    reference: `bash --norc --noprofile + ${allowanceMs} ms`,
    goal: 1,
    better: 'lower',
    unit: 'ms',
    pairs: 15,
    measureSpoon: () => measure('-l'),
    measureReference: async () => (await measure('--norc', '--noprofile', '-i')) + allowanceMs,
  });
}
