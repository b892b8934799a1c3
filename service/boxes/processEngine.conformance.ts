import assert from 'node:assert/strict';
import type { EngineUnderTest } from './engineBench.conformance.ts';
import { ProcessEngine } from './processEngine.ts';
import type { ProcessMode } from './processMode.ts';

/** One way of the process engine; the best one must be what it finds by itself. */
export function processEngineUnderTest(mode: ProcessMode): EngineUnderTest {
  const ownUid = mode === 'namespaces';
  return {
    title: `Process engine, ${mode}`,
    make: async ({ instanceId, stateDir, folder }) => {
      const options = { stateDir, instanceId, hidden: [folder] };
      const engine = await ProcessEngine.open(mode === 'plain' ? { ...options, mode } : options);
      const { version, problems } = await engine.probe();
      assert.ok(mode === 'plain' || !/node|^v/.test(version), `${mode} does not work here: ${problems.join(' ')}`);
      return engine;
    },
    image: '',
    boxUid: (uid) => (ownUid ? uid : (process.getuid?.() ?? uid)),
    removeFromOutside: async ({ engineId }) => void process.kill(Number.parseInt(engineId, 10), 'SIGKILL'),
    promises: { isolation: mode !== 'plain', ownUid, limits: ownUid },
  };
}
