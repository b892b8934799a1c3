// Starts an engine, says where, and waits to be killed.
import { startTestEngine } from './docker.ts';

const engine = await startTestEngine((text) => console.error(text));
console.log(engine.socketPath);
process.stdin.resume();
