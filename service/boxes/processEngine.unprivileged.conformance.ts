import { engineConformance } from './engine.conformance.ts';
import { processEngineUnderTest } from './processEngine.conformance.ts';

// Run by processEngine.test.ts under another uid where the tests run as root.
engineConformance(processEngineUnderTest('bubblewrap'));
