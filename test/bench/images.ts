// SPDX-License-Identifier: Apache-2.0
// Images: a load from the cache beside one from a file, and a pull beside skopeo's. The registry is on loopback.
import { execFileSync } from "node:child_process";
import fs from "node:fs";
import path from "node:path";
import { fixtureObject } from "../fixtures/objects.ts";
import { inNamespace } from "../image/own-containers.ts";
import { openFolder, Registry, tarOf } from "../image/registry.ts";
import { Lab } from "../lab/lab.ts";
import { inTurn, timed, timedCommand } from "./rounds.ts";

export interface ImageFigures {
    readonly warmLoad: number;
    readonly fileLoad: number;
    readonly coldPull: number;
    readonly skopeoCopy: number;
}

/** The next loader has started by then: which load waits for it is chance otherwise. */
const pauseMs = 500;

/** Medians in milliseconds. */
export async function measureImages(rounds: number): Promise<ImageFigures> {
    await using registry = await Registry.start();
    const folder = openFolder("bpfman-bench-images-");
    try {
        const registriesConf = registry.registriesConf({});
        fs.copyFileSync(registriesConf, path.join(folder, "registries.conf"));
        const policy = path.join(folder, "policy.json");
        fs.writeFileSync(policy, JSON.stringify({ default: [{ type: "insecureAcceptAnything" }] }));
        for (const name of fs.readdirSync(folder)) fs.chmodSync(path.join(folder, name), 0o644);
        const object = path.join(folder, "pass.o");
        fs.writeFileSync(object, fixtureObject("xdp_pass"));
        await registry.push("acme/pass", "v1", tarOf("pass.o", fixtureObject("xdp_pass")));
        const url = `${registry.address}/acme/pass:v1`;
        await using lab = Lab.prepare(["--image-cache-dir", path.join(folder, "cache")]);
        const bpffs = path.join(lab.runtimeDir, "fs");
        fs.mkdirSync(bpffs, { recursive: true, mode: 0o750 });
        execFileSync("mount", ["-t", "bpf", "bpf", bpffs]);
        await lab.startDaemon(inNamespace(folder));
        return await measure(lab, url, object, { registriesConf, policy, folder }, rounds);
    } finally {
        fs.rmSync(folder, { recursive: true });
    }
}

async function measure(
    lab: Lab,
    url: string,
    file: string,
    host: { registriesConf: string; policy: string; folder: string },
    rounds: number,
): Promise<ImageFigures> {
    const programs = [{ name: "xdp_pass", type: "xdp" }];
    const image = { url, pullPolicy: "IfNotPresent" };
    const loaded: number[] = [];
    const load = (from: { file: string } | { image: typeof image }) =>
        timed(async () => {
            const answer = await lab.client.load({ ...from, programs });
            loaded.push(...(answer.programs ?? []).map(({ id = 0 }) => id));
        });
    const after = async () => {
        await lab.client.unload({ programIds: loaded.splice(0) });
    };
    const pull = async () => {
        for await (const _ of lab.client.pullImage({ image }));
    };
    const copied = path.join(host.folder, "copied");
    const options = ["--registries-conf", host.registriesConf, "--policy", host.policy];
    const skopeo = ["skopeo", ...options, "copy", "--quiet", `docker://${url}`, `dir:${copied}`];
    await pull();
    const loads = await inTurn(
        rounds,
        [
            { name: "image", run: () => load({ image }), after },
            { name: "file", run: () => load({ file }), after },
        ],
        pauseMs,
    );
    const pulls = await inTurn(rounds, [
        {
            name: "pull",
            run: async () => {
                await lab.client.removeImage({ images: [url] });
                return await timed(pull);
            },
        },
        { name: "copy", run: () => timedCommand(skopeo), after: () => fs.rmSync(copied, { recursive: true }) },
    ]);
    const figure = (figures: ReadonlyMap<string, number>, name: string) => figures.get(name) ?? Number.NaN;
    return {
        warmLoad: figure(loads, "image"),
        fileLoad: figure(loads, "file"),
        coldPull: figure(pulls, "pull"),
        skopeoCopy: figure(pulls, "copy"),
    };
}
