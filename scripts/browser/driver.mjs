// A headless Chromium, driven by lines of JSON: each line on stdin is a command `{"do": NAME, ...}`, and each line on
// stdout its answer, `{"ok": VALUE}` or `{"error": TEXT}`.
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { join } from "node:path";
import { createInterface } from "node:readline";

const packages = join(import.meta.dirname, "../../.cache/browser/node_modules");
const require = createRequire(join(packages, "index.js"));
const { chromium } = require("playwright-core");
const axe = readFileSync(require.resolve("axe-core/axe.min.js"), "utf8");

const browser = await chromium.launch({ executablePath: process.env.CHROMIUM });
let context;
let page;
// Everything that a page must not cause: errors of the console, of scripts and of the policy, and foreign requests.
let problems = [];

/** A new window without memory, at `url`. */
async function open({ url, dark, script, login, width, height }) {
    await context?.close();
    problems = [];
    context = await browser.newContext({
        colorScheme: dark ? "dark" : "light",
        javaScriptEnabled: script,
        httpCredentials: login ? { username: login[0], password: login[1] } : undefined,
        viewport: { width, height },
    });
    page = await context.newPage();
    page.setDefaultTimeout(10_000);
    page.on("console", (message) => {
        if (["error", "warning"].includes(message.type())) {
            problems.push({ kind: "console", text: message.text(), at: message.location().url });
        }
    });
    page.on("pageerror", (error) => problems.push({ kind: "script", text: String(error), at: page.url() }));
    const { origin } = new URL(url);
    context.on("request", (request) => {
        const to = new URL(request.url());
        if (to.protocol !== "data:" && to.origin !== origin) {
            problems.push({ kind: "origin", text: request.url(), at: page.url() });
        }
    });
    return (await page.goto(url)).status();
}

/** The findings of axe that are `serious` or `critical`, by the rules of WCAG 2.2 A and AA. */
async function check() {
    await page.evaluate(axe);
    const tags = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"];
    const { violations } = await page.evaluate((values) => axe.run({ runOnly: { type: "tag", values } }), tags);
    const serious = violations.filter(({ impact }) => ["serious", "critical"].includes(impact));
    return serious.map(({ id, nodes }) => `${id}: ${nodes.map(({ html }) => html).join(" ")}`);
}

const commands = {
    open,
    check,
    text: ({ selector }) => page.locator(selector).innerText(),
    // Waits until an element that `selector` names contains `text` and can be seen.
    until: ({ selector, text, seconds }) =>
        page.locator(selector).filter({ hasText: text }).first().waitFor({ timeout: seconds * 1000 }),
    press: ({ key }) => page.keyboard.press(key),
    type: ({ text }) => page.keyboard.insertText(text),
    // The element that has the focus, as far as a reader hears it.
    focus: () =>
        page.evaluate(() => {
            const { id, tagName, textContent, name } = document.activeElement;
            return { id, tag: tagName.toLowerCase(), text: textContent.trim(), name: name ?? "" };
        }),
    eval: ({ script }) => page.evaluate(script),
    url: () => page.url(),
    reload: async () => (await page.reload()).status(),
    screenshot: ({ path }) => page.screenshot({ path }),
    problems: () => problems.splice(0),
};

for await (const line of createInterface({ input: process.stdin })) {
    const command = JSON.parse(line);
    let answer;
    try {
        answer = { ok: (await commands[command.do](command)) ?? null };
    } catch (error) {
        answer = { error: String(error) };
    }
    process.stdout.write(`${JSON.stringify(answer)}\n`);
}
await browser.close();
