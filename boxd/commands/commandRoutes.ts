import { closeCode } from '../../protocol/terminalFrames.ts';
import { JsonFields } from '../http/jsonFields.ts';
import type { BoxdRoute, BoxdUpgrade } from '../http/route.ts';
import type { SecretFiles } from '../processes/secretFiles.ts';
import type { Commands } from './commands.ts';

export function commandRoutes(commands: Commands, secretFiles: SecretFiles): BoxdRoute[] {
  return [
    {
      method: 'POST',
      path: '/v1/commands',
      async handle({ json }) {
        const fields = new JsonFields(await json());
        const { environment, notes } = secretFiles.read(fields);
        const prepared = await commands.prepare({
          id: fields.id(),
          argv: fields.texts('argv'),
          cwd: fields.text('cwd'),
          environment,
        });
        return { json: { notes: [...prepared.notes, ...notes].slice(0, 16) } };
      },
    },
  ];
}

export function commandUpgrade(commands: Commands): BoxdUpgrade {
  return {
    path: '/v1/commands/:id/attach',
    accept(id) {
      commands.check(id);
      return (webSocket, socket) => {
        const command = commands.take(id);
        if (command === undefined) webSocket.close(closeCode.ended);
        else command.view(webSocket, socket);
      };
    },
  };
}
