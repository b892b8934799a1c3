// The least that answers what `apiClient.ts` asks: no users, no keys, no rules. `apiLoad.ts` writes the answers to its stdin and reads
// its address from its stdout. A save is as durable as Spoon's: appended to a file and synced before the answer.
import { fdatasyncSync, openSync, writeSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { text } from 'node:stream/consumers';
import { requestTimeoutMs } from '../protocol/limits.ts';
import type { BareAnswers } from './apiTask.ts';

const { list, get, save, log }: BareAnswers = JSON.parse(await text(process.stdin));
const file = openSync(log, 'a', 0o600);
// As Spoon's: a connection that rests for some seconds is not closed while the client sends the next request.
const server = createServer({ keepAliveTimeout: requestTimeoutMs }, (request, response) => {
  if (request.method === 'PUT') {
    request.on('data', (chunk: Buffer) => writeSync(file, chunk));
    request.on('end', () => {
      fdatasyncSync(file);
      response.end(save);
    });
    return;
  }
  response.end(request.url === '/v1/dotfiles' ? list : get);
});
server.listen(0, '127.0.0.1', () => {
  console.log(`http://127.0.0.1:${(server.address() as AddressInfo).port}`);
});
