// SPDX-License-Identifier: Apache-2.0
// Bundles the Cockpit page into dist/cockpit/: what /usr/share/cockpit/bpfman holds on a host.
import fs from "node:fs";
import path from "node:path";
import { fileURLToPath } from "node:url";
import { gzipSync } from "node:zlib";
import { build, type Metafile, type Plugin } from "esbuild";
import { writeCatalogues } from "./po/catalogue.ts";

const root = import.meta.dirname;
const pageDir = path.join(root, "dist/cockpit");

/** What the page may weigh, gzipped. */
const budgetBytes = { "index.js": 200_000, "index.css": 100_000 } as const;

/** Cockpit >= 337 serves the same variable fonts as PatternFly brings, one folder up from every page. */
const cockpitFonts: Plugin = {
    name: "cockpit-fonts",
    setup(build) {
        build.onResolve({ filter: /assets\/fonts\/RedHat.*\.woff2$/ }, file => ({
            path: file.path.replace(/^.*assets\/fonts\//, "../../static/fonts/"),
            external: true,
        }));
    },
};

/** What no view uses: themes that Cockpit can't switch to. */
const leanStyles: Plugin = {
    name: "lean-styles",
    setup(build) {
        build.onLoad({ filter: /\/patternfly-base\.css$/ }, file => ({
            contents: fs
                .readFileSync(file.path, "utf8")
                .replace(/^:root:where\([^)]*\.pf-v6-theme-(?:felt|glass|high-contrast)[^)]*\) \{[^}]*\}/gm, ""),
            loader: "css",
            resolveDir: path.dirname(file.path),
        }));
    },
};

export interface PageOptions {
    readonly production: boolean;
    /** what the page takes itself for; package.json's version */
    readonly version?: string;
    /** dist/cockpit */
    readonly outputDir?: string;
}

function ownVersion(): string {
    const { version }: { version: string } = JSON.parse(fs.readFileSync(path.join(root, "package.json"), "utf8"));
    return version;
}

/** What went into it, as esbuild tells. */
export async function buildPage(options: PageOptions): Promise<Metafile> {
    const outputDir = options.outputDir ?? pageDir;
    fs.rmSync(outputDir, { recursive: true, force: true });
    fs.mkdirSync(outputDir, { recursive: true });
    const { metafile } = await build({
        absWorkingDir: root,
        metafile: true,
        entryPoints: ["src/index.tsx"],
        outdir: outputDir,
        bundle: true,
        format: "iife",
        target: "es2022",
        jsx: "automatic",
        minify: options.production,
        sourcemap: options.production ? false : "linked",
        legalComments: "external",
        define: {
            "process.env.NODE_ENV": JSON.stringify(options.production ? "production" : "development"),
            __BPFMAN_VERSION__: JSON.stringify(options.version ?? ownVersion()),
        },
        // icon fonts and pictures of PatternFly that no view uses
        loader: { ".woff2": "empty", ".svg": "empty", ".jpg": "empty", ".png": "empty" },
        plugins: [cockpitFonts, leanStyles],
        logLevel: "warning",
    });
    fs.copyFileSync(path.join(root, "src/index.html"), path.join(outputDir, "index.html"));
    fs.copyFileSync(path.join(root, "manifest.json"), path.join(outputDir, "manifest.json"));
    writeCatalogues(outputDir);
    for (const [file, budget] of Object.entries(budgetBytes)) {
        const bytes = fs.readFileSync(path.join(outputDir, file));
        const zipped = gzipSync(bytes, { level: 9 }).length;
        console.log(`dist/cockpit/${file}: ${kilobytes(bytes.length)}, gzipped ${kilobytes(zipped)}`);
        if (options.production && zipped > budget) {
            throw new Error(`dist/cockpit/${file} is ${zipped} bytes gzipped, the budget is ${budget}`);
        }
    }
    return metafile;
}

function kilobytes(bytes: number): string {
    return `${(bytes / 1000).toFixed(1)} kB`;
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
    await buildPage({ production: process.env["NODE_ENV"] !== "development" });
}
