// SPDX-License-Identifier: Apache-2.0
// Follows the shell's style switcher by the protocol of Cockpit's own pages: the key "shell:style" in the local
// storage, and a "cockpit-style" event in the frame that the switch was made in.

const systemDark = matchMedia("(prefers-color-scheme: dark)");

function apply(style: string | null): void {
    const wanted = style ?? localStorage.getItem("shell:style") ?? "auto";
    const dark = wanted === "dark" || (wanted === "auto" && systemDark.matches);
    document.documentElement.classList.toggle("pf-v6-theme-dark", dark);
}

export function followShellTheme(): void {
    window.addEventListener("storage", event => {
        if (event.key === "shell:style") apply(null);
    });
    window.addEventListener("cockpit-style", event => {
        const style: unknown = event instanceof CustomEvent ? event.detail?.style : undefined;
        apply(typeof style === "string" ? style : null);
    });
    systemDark.addEventListener("change", () => apply(null));
    apply(null);
}
