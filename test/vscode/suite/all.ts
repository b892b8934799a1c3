import './activation.suite.ts';
import './files.suite.ts';
import './saving.suite.ts';
