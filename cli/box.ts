import type { Command } from 'commander';
import { type CommandLine, type JsonOption, withJson } from './commandLine.ts';
import { connect } from './connection.ts';
import { boxText } from './status.ts';

/** A start writes the whole overlay; a stop lets programs end. */
const changeTimeoutMs = 180_000;

/** `spoonctl box …` */
export function addBox(program: Command, line: CommandLine): void {
  const box = program.command('box').description('your box');
  const verbs = {
    status: { route: 'box', description: 'its state, who holds it and when it stops' },
    start: { route: 'startBox', description: 'start it, or wait until it is up' },
    stop: { route: 'stopBox', description: 'stop it and everything in it; the home stays' },
  } as const;
  for (const [verb, { route, description }] of Object.entries(verbs)) {
    withJson(box.command(verb).description(description)).action(async (options: JsonOption) => {
      const { api } = await connect(line);
      const answer = await api.call(route, { timeoutMs: changeTimeoutMs });
      line.print(options, answer, () => `Box       ${boxText(answer)}`);
    });
  }
}
