import pulumi from "@pulumi/eslint-plugin";
import { defineConfig, globalIgnores } from "eslint/config";
import tseslint from "typescript-eslint";

/** A preview can't see what is created in a callback. */
const resourceInApply = {
    selector:
        "CallExpression[callee.property.name=/^(apply|then)$/] " +
        ":matches(NewExpression[callee.type='MemberExpression'], CallExpression[callee.name=/^create[A-Z]/])",
    message: "Create no resource inside apply: a preview can't see it. Counts and keys are plain values.",
};

/** What would tie a component to one program, or make the same inputs give other resources. */
const programInput = [
    {
        selector: "MemberExpression[object.name='process'][property.name='env']",
        message: "Read no environment here: take an input.",
    },
    {
        selector: ":matches(NewExpression[callee.name='Date'], MemberExpression[object.name='Date'])",
        message: "Don't look at the clock here: the same inputs must give the same resources.",
    },
];

const stackConfig = {
    selector: "NewExpression[callee.property.name='Config']",
    message: "Only the program reads the stack's config: take an input.",
};

/** Forbids the architecture's wrong arrows; each pattern says why. */
function forbidImports(...patterns) {
    return { "@typescript-eslint/no-restricted-imports": ["error", { patterns }] };
}

const noProgram = { regex: "^zod$|/(settings|index)$|^\\.\\.?$", message: "Components know nothing of a program." };
const noPulumi = { group: ["@pulumi/*"], message: "This part is pure: plain data in, plain data out." };

export default defineConfig(
    globalIgnores(["bin/", "**/node_modules/"]),
    tseslint.configs.strictTypeChecked,
    tseslint.configs.stylisticTypeChecked,
    {
        languageOptions: {
            parserOptions: { projectService: { allowDefaultProject: ["*.mjs"] }, tsconfigRootDir: import.meta.dirname },
        },
        plugins: { "@pulumi": pulumi },
        rules: {
            "@pulumi/no-output-in-template-literal": "error",
            "@pulumi/no-output-instance-in-template-literal": "error",
            "@typescript-eslint/no-confusing-void-expression": ["error", { ignoreArrowShorthand: true }],
            "@typescript-eslint/no-unused-vars": ["error", { ignoreRestSiblings: true }],
            "@typescript-eslint/restrict-template-expressions": ["error", { allowNumber: true, allowBoolean: true }],
            // Maps are written as index signatures, which Pulumi's schema analyser reads, and aliases of them as types.
            "@typescript-eslint/consistent-indexed-object-style": "off",
            "@typescript-eslint/consistent-type-definitions": "off",
            "no-control-regex": "error",
            "no-restricted-syntax": ["error", resourceInApply],
            eqeqeq: "error",
        },
    },
    {
        // Linted against the sources: each example's own settings want the package to be installed.
        files: ["examples/**/*.ts"],
        languageOptions: { parserOptions: { projectService: false, project: "examples/tsconfig.json" } },
    },
    { files: ["index.ts"], rules: { "no-restricted-syntax": ["error", resourceInApply, ...programInput] } },
    {
        files: ["components/**/*.ts"],
        rules: {
            ...forbidImports(noProgram),
            "no-restricted-syntax": ["error", resourceInApply, stackConfig, ...programInput],
        },
    },
    {
        files: ["components/platform/**/*.ts"],
        rules: forbidImports(noProgram, {
            regex: "^\\.\\./(?!render/|defaults$|checks/problem$)",
            message: "platform/ knows only render/, the defaults and the shape of a problem.",
        }),
    },
    {
        files: ["components/platform/*/*.ts"],
        rules: forbidImports(noProgram, {
            regex: "^\\.\\./\\.\\./(?!render/|defaults$|checks/problem$)",
            message: "platform/ knows only render/, the defaults and the shape of a problem.",
        }),
    },
    {
        files: ["components/render/**/*.ts"],
        rules: forbidImports(noProgram, noPulumi, {
            regex: "^\\.\\./(?!defaults$)",
            message: "render/ knows only the defaults.",
        }),
    },
    {
        files: ["components/checks/**/*.ts"],
        rules: forbidImports(noProgram, noPulumi, {
            regex: "^\\.\\./(?!render/|defaults$|clusterPlacement$|passwordGenerations$|patroniSettings$)",
            allowTypeImports: true,
            message: "checks/ takes only types from components.",
        }),
    },
    {
        // These fill in defaults for the checks and are as pure as they are.
        files: [
            "components/clusterPlacement.ts",
            "components/passwordGenerations.ts",
            "components/patroniSettings.ts",
            "components/defaults.ts",
        ],
        rules: forbidImports(noProgram, noPulumi, {
            regex: "^\\./(?!render/|checks/|defaults$)",
            allowTypeImports: true,
            message: "This part is pure: it takes only types from components.",
        }),
    },
    {
        files: ["cli/**/*.ts"],
        rules: forbidImports(noPulumi, {
            regex: "^\\.\\./(?!components/(render/|defaults$))",
            allowTypeImports: true,
            message: "cli/ takes only render/, the defaults and types from components.",
        }),
    },
    { files: ["**/*.spec.ts"], rules: { "@typescript-eslint/no-unused-expressions": "off" } },
    {
        files: ["**/*.mjs"],
        extends: [tseslint.configs.disableTypeChecked],
        rules: {
            "@pulumi/no-output-in-template-literal": "off",
            "@pulumi/no-output-instance-in-template-literal": "off",
        },
    },
);
