import js from "@eslint/js";
import globals from "globals";

export default [
  { ignores: [".venv/", ".venv-readers/", ".venv-ray/", ".venv-ultralytics/", "site/"] },
  js.configs.recommended,
  {
    linterOptions: { reportUnusedDisableDirectives: "error" },
    rules: {
      "array-callback-return": "error",
      "arrow-body-style": "error",
      complexity: ["error", 12],
      "consistent-return": "error",
      curly: ["error", "multi-line"],
      "default-case-last": "error",
      eqeqeq: "error",
      "max-lines": ["error", { max: 250, skipBlankLines: true, skipComments: true }],
      "max-lines-per-function": ["error", { max: 40, skipComments: true }],
      "no-await-in-loop": "error",
      "no-console": "error",
      "no-else-return": "error",
      "no-implicit-coercion": "error",
      "no-param-reassign": "error",
      "no-promise-executor-return": "error",
      "no-shadow": ["error", { builtinGlobals: false }],
      "no-throw-literal": "error",
      "no-unused-expressions": "error",
      "no-unused-vars": "error",
      "no-use-before-define": ["error", { functions: false, classes: false, variables: false }],
      "no-useless-return": "error",
      "no-var": "error",
      "object-shorthand": "error",
      "prefer-const": "error",
      "prefer-template": "error",
    },
  },
  {
    files: ["demo/ui/browser/*.js", "demo/ui/viewer/*.js"],
    languageOptions: { globals: globals.browser },
  },
  {
    files: ["tests/viewer/*.js", "eslint.config.js"],
    languageOptions: { globals: globals.nodeBuiltin },
    rules: { "max-lines-per-function": "off" },
  },
];
