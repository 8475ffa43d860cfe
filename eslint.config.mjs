import { createNodeResolver, importX } from 'eslint-plugin-import-x';
import tseslint from 'typescript-eslint';

/** Who may import whom, besides itself: see the layers in docs/concepts/architecture.md. */
const mayImport = {
  api: [],
  core: ['api'],
  placement: ['api', 'core'],
  piping: ['api', 'core'],
  base: ['api', 'core', 'piping'],
  local: ['api', 'core', 'placement', 'piping', 'base'],
  'remote/protocol': ['api', 'core', 'piping'],
  'remote/client': ['api', 'core', 'piping', 'base', 'remote/protocol'],
  metrics: ['api', 'core', 'piping', 'base'],
  'remote/server': ['api', 'core', 'placement', 'piping', 'base', 'remote/protocol', 'horizontal/directory', 'metrics'],
  'horizontal/directory': ['api', 'core'],
  horizontal: ['api', 'core', 'placement', 'piping', 'base', 'remote/client'],
  redis: ['api', 'core', 'horizontal/directory'],
  swarm: ['api', 'core', 'placement', 'remote', 'horizontal'],
  module: ['api', 'core', 'horizontal'],
  cli: ['api', 'core', 'local', 'remote', 'horizontal', 'redis'],
  autoscale: ['api', 'core', 'horizontal/index.ts', 'horizontal/directory'],
};

const zones = Object.entries(mayImport).map(([layer, imports]) => ({
  target: `./src/${layer}`,
  from: './src',
  except: [layer, ...imports].map(name => `./${name}`),
  message: `${layer} may import ${imports.join(' and ') || 'nothing of ours'} only`,
}));

export default tseslint.config(
  { ignores: ['dist/', 'site/', 'node_modules/', 'examples/*/public/', 'scripts/worker-build/'] },
  ...tseslint.configs.recommendedTypeChecked,
  {
    linterOptions: { reportUnusedDisableDirectives: 'error' },
    plugins: { 'import-x': importX },
    settings: { 'import-x/resolver-next': [createNodeResolver({ extensions: ['.ts', '.mts', '.js', '.mjs'] })] },
    languageOptions: {
      parserOptions: {
        projectService: { allowDefaultProject: ['*.mjs'] },
        tsconfigRootDir: import.meta.dirname,
      },
    },
    rules: {
      'import-x/no-cycle': 'error',
      'import-x/no-restricted-paths': ['error', { zones }],
      eqeqeq: 'error',
      'no-var': 'error',
      'prefer-const': 'error',
      '@typescript-eslint/consistent-type-imports': 'error',
      '@typescript-eslint/explicit-module-boundary-types': 'error',
      '@typescript-eslint/no-explicit-any': 'error',
      '@typescript-eslint/no-non-null-assertion': 'off',
      '@typescript-eslint/only-throw-error': ['error', { allowThrowingUnknown: true }],
      // async where an interface asks for a Promise, so that what is thrown is a rejection.
      '@typescript-eslint/require-await': 'off',
      '@typescript-eslint/unbound-method': 'error',
    },
  },
  {
    files: ['**/*.{mjs,cjs}'],
    extends: [tseslint.configs.disableTypeChecked],
    rules: { '@typescript-eslint/explicit-module-boundary-types': 'off' },
  },
  { files: ['**/*.cjs'], rules: { '@typescript-eslint/no-require-imports': 'off' } },
);
