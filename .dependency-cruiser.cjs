// The table of `docs/architecture.md`: an import that is not listed here does not build. Kept by `npm run check`.
const { Visitor } = require('@swc/core/Visitor.js');

// The visitor of swc that dependency-cruiser walks with stops at `using x = …` (ECMAScript explicit resource management).
const visitStatement = Visitor.prototype.visitStatement;
Visitor.prototype.visitStatement = function (statement) {
  if (statement.type !== 'UsingDeclaration') return visitStatement.call(this, statement);
  statement.decls = this.visitVariableDeclarators(statement.decls);
  return statement;
};

const test = '\\.(test|conformance|fixture)\\.ts$';
const npm = { path: 'node_modules' };
const node = { dependencyTypes: ['core'] };
const own = (folder) => `^${folder}/`;
const noun = (...names) => `^service/(${names.join('|')})/`;

/** What each noun of the service may use, besides protocol and itself; its `*Routes.ts` may use http too. */
const serviceNouns = {
  store: [],
  http: [],
  keyring: ['store'],
  identity: ['store', 'keyring'],
  audit: ['store', 'keyring'],
  backup: ['store', 'keyring'],
  boxes: ['store', 'identity'],
  admin: ['store', 'identity', 'boxes', 'quotas'],
  quotas: ['store', 'identity', 'boxes'],
  dotfiles: ['store', 'keyring'],
  secrets: ['store', 'keyring'],
  environment: ['store', 'keyring', 'dotfiles', 'secrets', 'boxes'],
  terminals: ['boxes', 'store', 'keyring', 'quotas'],
  files: ['boxes'],
  metrics: [],
  threads: ['store', 'keyring', 'boxes', 'quotas'],
  jobs: ['store', 'keyring', 'boxes'],
};

module.exports = {
  forbidden: [
    { name: 'no-cycles', severity: 'error', from: {}, to: { circular: true } },
    {
      name: 'tests-import-only-tests',
      severity: 'error',
      from: { pathNot: `${test}|^test/|^bench/` },
      to: { path: test },
    },
    {
      name: 'dockerode-has-one-owner',
      severity: 'error',
      from: { pathNot: `^service/boxes/docker|${test}|^test/|^bench/|^scripts/` },
      to: { path: 'node_modules/(@types/)?dockerode' },
    },
    {
      name: 'sqlite-has-one-owner',
      severity: 'error',
      from: { pathNot: `^service/store/|${test}|^test/|^bench/` },
      to: { path: '^node:sqlite$|^sqlite$' },
    },
    {
      name: 'crypto-has-owners',
      severity: 'error',
      from: {
        path: '^service/',
        pathNot: `^service/(keyring|identity|store|backup)/|^service/terminals/tickets|^service/boxes/(boxdLink|boxdBundle|boxSpec|containerSpec)|^service/http/(upgrade|certificate)|${test}`,
      },
      to: { path: '^(node:)?crypto$' },
    },
    {
      name: 'files-have-owners',
      severity: 'error',
      comment: 'The service never touches a home by path (security.md 0.1).',
      from: {
        path: '^service/',
        pathNot: `^service/(adminPageFiles|config|inheritedFiles|main|workdir)\\.ts$|^service/(store|keyring|boxes|backup)/|^service/http/certificate|${test}`,
      },
      to: { path: '^(node:)?fs(/promises)?$' },
    },
  ],
  allowedSeverity: 'error',
  allowed: [
    { from: { path: own('protocol') }, to: { path: [own('protocol'), 'node_modules/typebox'] } },
    {
      from: { path: own('client') },
      to: { path: [own('client'), own('protocol'), 'node_modules/(typebox|libsodium-wrappers)'] },
    },
    {
      from: { path: own('extension') },
      to: { path: [own('extension'), own('client'), own('protocol'), 'node_modules', '^vscode$'] },
    },
    { from: { path: '^extension/node/' }, to: node },
    { from: { path: own('cli') }, to: { path: [own('cli'), own('client'), own('protocol')] } },
    { from: { path: own('cli') }, to: npm },
    { from: { path: own('cli') }, to: node },
    { from: { path: own('boxd') }, to: { path: [own('boxd'), own('protocol')] } },
    { from: { path: own('boxd') }, to: npm },
    { from: { path: own('boxd') }, to: node },
    { from: { path: own('service') }, to: { path: own('protocol') } },
    { from: { path: own('service') }, to: npm },
    { from: { path: own('service') }, to: node },
    { from: { path: '^service/[^/]+\\.ts$' }, to: { path: own('service') } },
    { from: { path: own('service/adminPage') }, to: { path: own('service/adminPage') } },
    ...Object.entries(serviceNouns).flatMap(([name, uses]) => [
      { from: { path: noun(name) }, to: { path: noun(name, ...uses) } },
      {
        from: { path: `^service/${name}/[^/]*(Routes|\\.test|\\.fixture)\\.ts$` },
        to: { path: noun(name, ...uses, 'http', 'store', 'keyring') },
      },
    ]),
    { from: { path: `^(protocol|client|cli)/.*${test}` }, to: {} },
    { from: { path: '^(test|bench|scripts)/' }, to: {} },
    { from: { path: '^extension/.*\\.test\\.ts$' }, to: {} },
  ],
  options: {
    parser: 'swc',
    doNotFollow: { path: 'node_modules' },
    exclude: { path: '^(dist|media|docs)/' },
    tsPreCompilationDeps: true,
    enhancedResolveOptions: {
      extensions: ['.ts', '.js', '.mjs'],
      exportsFields: ['exports'],
      conditionNames: ['import', 'require', 'node', 'default'],
    },
  },
};
