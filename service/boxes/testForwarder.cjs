// A way into another network namespace, for tests: `node testForwarder.cjs PORT SOCKET`.
const { connect, createServer } = require('node:net');

const [port, socketPath] = process.argv.slice(2);
const server = createServer((near) => {
  const far = connect(socketPath);
  near.pipe(far).pipe(near);
  near.on('error', () => far.destroy());
  far.on('error', () => near.destroy());
});
server.listen(Number(port), '::', () => process.stdout.write('ready\n'));
