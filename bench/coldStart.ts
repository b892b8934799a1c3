import { type BenchBox, promptText } from './benchBox.ts';
import { compare, type Row } from './ratio.ts';

/** From a box that is off to the first prompt in it, ms: create, start, boxd, the dotfiles, the shell. */
export function stoppedBoxToPrompt(box: BenchBox): Promise<Row> {
  return compare({
    name: 'box stopped, to its first prompt',
    reference: 'docker run --rm -it of the same image and home',
    goal: 1.1,
    better: 'lower',
    unit: 'ms',
    pairs: 5,
    async measureSpoon() {
      await box.stop();
      const start = performance.now();
      const shell = await box.spoonShell();
      await shell.until(promptText);
      const took = performance.now() - start;
      await shell.close();
      await box.learnContainer();
      return took;
    },
    async measureReference() {
      const start = performance.now();
      const shell = await box.dockerRunShell();
      await shell.until(promptText);
      const took = performance.now() - start;
      await shell.close();
      return took;
    },
  });
}
