import './activation.suite.ts';
import './files.suite.ts';
import './saving.suite.ts';
import './tree.suite.ts';
import './upload.suite.ts';
import './secrets.suite.ts';
import './states.suite.ts';
import './tls.suite.ts';
