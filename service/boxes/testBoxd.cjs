'use strict';
// Stands in for boxd in tests of engines and boxes: dials as boxd does, and runs what it is asked to, as the box's user.
const { spawn } = require('node:child_process');
const http = require('node:http');
const net = require('node:net');

const path = process.env.SPOON_SOCKET;
const startedMs = Date.now();
const server = http.createServer({ headersTimeout: 0, requestTimeout: 0 });

server.on('request', (request, response) => {
  if (!request.socket.used) {
    request.socket.used = true;
    dial();
  }
  const answer = (value) => response.end(JSON.stringify(value));
  if (request.url === '/v1/stat') {
    return answer({ protocol: 1, build: 'test', pid: process.pid, rssBytes: process.memoryUsage().rss, startedMs });
  }
  if (request.url === '/v1/terminals') return answer({ terminals: [], commands: 0 });
  let body = '';
  request.on('data', (chunk) => {
    body += chunk;
  });
  request.on('end', () => run(JSON.parse(body), answer));
});

function run({ argv }, answer) {
  const child = spawn(argv[0], argv.slice(1), { stdio: ['ignore', 'pipe', 'pipe'] });
  const output = { stdout: '', stderr: '' };
  for (const name of ['stdout', 'stderr']) {
    child[name].on('data', (chunk) => {
      output[name] = (output[name] + chunk).slice(-60_000);
    });
  }
  child.on('error', (error) => answer({ code: 127, stdout: '', stderr: String(error) }));
  child.on('close', (code, signal) => answer({ code, signal, ...output }));
}

function dial() {
  const socket = net.connect(path);
  socket.on('error', () => undefined);
  socket.once('connect', () => server.emit('connection', socket));
  socket.once('close', () => {
    if (!socket.used) setTimeout(dial, 50);
  });
}

process.on('SIGTERM', () => process.exit(0));
dial();
dial();
