import { JsonFields } from '../http/jsonFields.ts';
import type { BoxdRoute, BoxdUpgrade } from '../http/route.ts';
import type { Terminals } from './terminals.ts';

export function terminalRoutes(terminals: Terminals, countCommands: () => number): BoxdRoute[] {
  return [
    {
      method: 'POST',
      path: '/v1/terminals',
      async handle({ json }) {
        const fields = new JsonFields(await json());
        const started = await terminals.start({
          id: fields.id(),
          shell: fields.text('shell'),
          cwd: fields.text('cwd'),
          columns: fields.value('columns'),
          rows: fields.value('rows'),
          safe: fields.flag('safe'),
          environment: fields.variables('environment'),
          thread: fields.value('thread') === undefined ? undefined : fields.text('thread'),
        });
        return { json: started };
      },
    },
    {
      method: 'GET',
      path: '/v1/terminals',
      handle: () => ({ json: { terminals: terminals.list(), commands: countCommands() } }),
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
