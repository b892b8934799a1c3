import type { TerminalStates } from '../../protocol/boxd.ts';
import { JsonFields } from '../http/jsonFields.ts';
import type { BoxdRoute, BoxdUpgrade } from '../http/route.ts';
import type { SecretFiles } from '../processes/secretFiles.ts';
import type { Terminals } from './terminals.ts';

interface TerminalRouteParts {
  readonly secretFiles: SecretFiles;
  readonly countCommands: () => number;
  readonly countFromOutside: () => number;
  readonly runningJobs: () => NonNullable<TerminalStates['jobs']>;
}

export function terminalRoutes(
  terminals: Terminals,
  { secretFiles, countCommands, countFromOutside, runningJobs }: TerminalRouteParts,
): BoxdRoute[] {
  return [
    {
      method: 'POST',
      path: '/v1/terminals',
      async handle({ json }) {
        const fields = new JsonFields(await json());
        const { environment, notes } = secretFiles.read(fields);
        const started = await terminals.start({
          id: fields.id(),
          shell: fields.text('shell'),
          cwd: fields.text('cwd'),
          columns: fields.value('columns'),
          rows: fields.value('rows'),
          safe: fields.flag('safe'),
          environment,
          thread: fields.value('thread') === undefined ? undefined : fields.text('thread'),
        });
        return { json: { ...started, notes: [...started.notes, ...notes].slice(0, 16) } };
      },
    },
    {
      method: 'GET',
      path: '/v1/terminals',
      handle() {
        const states: TerminalStates = {
          terminals: terminals.list(),
          commands: countCommands(),
          jobs: runningJobs(),
          fromOutside: countFromOutside(),
        };
        return { json: states };
      },
    },
    {
      method: 'DELETE',
      path: '/v1/terminals/:id',
      async handle({ id }) {
        await terminals.end(id);
        return undefined;
      },
    },
  ];
}

export function terminalUpgrade(terminals: Terminals): BoxdUpgrade {
  return {
    path: '/v1/terminals/:id/attach',
    accept(id) {
      const terminal = terminals.get(id);
      return (webSocket, socket) => terminal.view(webSocket, socket);
    },
  };
}
