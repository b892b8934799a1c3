import serialize from '@xterm/addon-serialize';
import headless from '@xterm/headless';
import { snapshotLines } from '../protocol/limits.ts';
import { type BenchBox, promptText } from './benchBox.ts';
import { compare, type Row } from './ratio.ts';

const columns = 120;
const rows = 40;

/** From the wish to see a terminal that has 5,000 lines above its screen to the last byte of them, ms. */
export async function reattach(box: BenchBox): Promise<Row> {
  const terminal = await box.spoonShell();
  await terminal.until(promptText);
  terminal.type(
    `for i in {1..5100}; do printf '\\e[3%dmline %s\\e[0m of what was built before\\n' $((i%8)) $i; done\r`,
  );
  await terminal.until('line 5100');
  await terminal.until(promptText);
  const reference = await sameLines();
  try {
    return await compare({
      name: 're-attach with 5,000 lines above the screen (at most 150 ms)',
      reference: '@xterm/headless serialize of the same',
      goal: 5,
      better: 'lower',
      unit: 'ms',
      pairs: 7,
      async measureSpoon() {
        const start = performance.now();
        const viewer = await box.spoonShell(terminal.id);
        await viewer.until('line 5100');
        await viewer.until(promptText);
        const took = performance.now() - start;
        viewer.leave();
        return took;
      },
      async measureReference() {
        const start = performance.now();
        reference.serialize({ scrollback: snapshotLines });
        return performance.now() - start;
      },
    });
  } finally {
    await terminal.close();
  }
}

async function sameLines(): Promise<InstanceType<typeof serialize.SerializeAddon>> {
  const terminal = new headless.Terminal({ cols: columns, rows, scrollback: snapshotLines, allowProposedApi: true });
  const addon = new serialize.SerializeAddon();
  terminal.loadAddon(addon);
  for (let line = 1; line <= 5_100; line++) {
    terminal.write(`\x1b[3${line % 8}mline ${line}\x1b[0m of what was built before\r\n`);
  }
  await new Promise<void>((resolve) => terminal.write(promptText, resolve));
  return addon;
}
