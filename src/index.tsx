// SPDX-License-Identifier: Apache-2.0
import "@patternfly/patternfly/patternfly-base.css";
import { flushSync } from "react-dom";
import { createRoot } from "react-dom/client";
import { App } from "./app.tsx";
import { _, pageLanguage } from "./text/i18n.ts";
import { prepareFormats } from "./text/words.ts";
import { followShellTheme } from "./theme.ts";

// after the components' own rules
import "./style/app.css";
import "./style/chain.css";
import "./style/help.css";
import "./style/maps.css";
import "./style/views.css";

followShellTheme();
document.documentElement.lang = pageLanguage() ?? "en";
document.documentElement.dir = cockpit.language_direction ?? "ltr";
document.title = _("eBPF");

const root = document.getElementById("app");
// at once: it asks the daemon before the browser draws
if (root) flushSync(() => createRoot(root).render(<App />));
// the daemon's answer is on its way
setTimeout(prepareFormats);
