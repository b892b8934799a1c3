// `node scripts/pinFedora.ts`: writes docker/pins.env, what the Fedora image is pinned to, read from its sources. Needs a network.
import { writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { pinsText, readPins } from './provision/fedoraPins.ts';

try {
  const text = pinsText(await readPins());
  await writeFile(join(dirname(import.meta.dirname), 'docker', 'pins.env'), text);
  console.log(`${text}written to docker/pins.env. Build with npm run up, or give these lines as build arguments.`);
} catch (error) {
  console.error(error instanceof Error ? error.message : error);
  process.exitCode = 1;
}
