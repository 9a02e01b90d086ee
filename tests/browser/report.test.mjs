// The report in a real browser: that of the demo, and that of 300 accounts.
//
// Nothing is requested, nothing overflows, axe-core finds no serious fault, and every number of
// the page is the one that the JSON document has in the same place.
//
// Environment: FOLLOWGRAPH (the program), CHROMIUM (the browser), SHOTS (a folder for pictures,
// to be looked at).

import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { mkdtempSync, mkdirSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { after, before, describe, it } from "node:test";
import { pathToFileURL } from "node:url";
import puppeteer from "puppeteer-core";

const root = resolve(import.meta.dirname, "../..");
const program = process.env.FOLLOWGRAPH ?? join(root, "target/debug/followgraph");
const axe = readFileSync(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");
const scratch = mkdtempSync(join(tmpdir(), "followgraph-report-"));
const run = (...args) =>
  execFileSync(program, args, { env: { PATH: process.env.PATH, HOME: scratch }, maxBuffer: 1 << 28, stdio: ["ignore", "pipe", "pipe"] });

/** Two runs of 300 accounts with some 400 followers each, and no randomness. */
function large(store) {
  const accounts = Array.from({ length: 300 }, (_, i) => 1000 + i);
  const rows = ["day,account,follower"];
  for (const [week, day] of ["2026-11-01", "2026-11-08"].entries()) {
    for (const account of accounts) {
      const members = new Set();
      // Neighbours in a ring share members; a few are watched accounts themselves.
      for (let n = 0; n < 400; n++) {
        const at = (account * 97 + n * (1 + (account % 7))) % 40_000;
        if ((at + account + week * 3) % 29 !== 0) members.add(1_000_000_000_000_000_000n + BigInt(at) * 4_194_304n);
      }
      for (let n = 1; n < 6; n++) members.add(BigInt(1000 + ((account * n + week) % 300)));
      for (const member of members) rows.push(`${day},${account},${member}`);
    }
  }
  const file = join(scratch, "large.csv");
  writeFileSync(file, rows.join("\n") + "\n");
  run("--store", store, "import", file, "--account-column", "account", "--member-column", "follower", "--time-column", "day");
}

const reports = {};
let browser;

before(async () => {
  const stores = { demo: join(scratch, "demo"), large: join(scratch, "large") };
  run("demo", "--store", stores.demo, "--quiet");
  large(stores.large);
  for (const [name, store] of Object.entries(stores)) {
    const page = join(scratch, `${name}.html`);
    const began = performance.now();
    run("--store", store, "report", "--output", page);
    const seconds = (performance.now() - began) / 1000;
    const json = JSON.parse(run("--store", store, "report", "--format", "json"));
    reports[name] = { url: pathToFileURL(page).href, bytes: statSync(page).size, seconds, json };
  }
  browser = await puppeteer.launch({
    executablePath: process.env.CHROMIUM ?? "/usr/bin/chromium",
    args: ["--no-sandbox", "--disable-gpu"],
  });
});

after(async () => {
  await browser?.close();
  rmSync(scratch, { recursive: true, force: true });
});

/** Opens a report; answers the page and what it asked for and complained about. */
async function open(name, width, scheme = "light") {
  const page = await browser.newPage();
  const heard = { requests: [], complaints: [] };
  page.on("request", (request) => heard.requests.push(request.url()));
  page.on("console", (message) => {
    if (message.type() !== "log") heard.complaints.push(message.text());
  });
  page.on("pageerror", (error) => heard.complaints.push(String(error)));
  await page.emulateMediaFeatures([{ name: "prefers-color-scheme", value: scheme }]);
  await page.setViewport({ width, height: 900 });
  await page.goto(reports[name].url, { waitUntil: "load" });
  return { page, heard };
}

const unfold = (page) => page.evaluate(() => {
  for (const one of document.querySelectorAll("details")) one.open = true;
});

for (const name of ["demo", "large"]) {
  describe(`the report of the ${name} store`, () => {
    for (const [width, scheme] of [[360, "light"], [360, "dark"], [1280, "light"], [1280, "dark"], [1920, "light"]]) {
      it(`is at home at ${width} px, ${scheme}`, async () => {
        const { page, heard } = await open(name, width, scheme);
        assert.deepEqual(heard, { requests: [reports[name].url], complaints: [] });
        const over = () => page.evaluate(() => document.documentElement.scrollWidth - innerWidth);
        assert.ok((await over()) <= 0, "nothing sticks out to the side");
        if (process.env.SHOTS) {
          mkdirSync(process.env.SHOTS, { recursive: true });
          await page.screenshot({ path: join(process.env.SHOTS, `${name}-${width}-${scheme}.png`), fullPage: name === "demo" });
        }
        await unfold(page);
        assert.ok((await over()) <= 0, "nor when everything is unfolded");
        await page.close();
      });
    }

    for (const scheme of ["light", "dark"]) {
      it(`has no serious accessibility fault, ${scheme}`, async () => {
        const { page } = await open(name, 1280, scheme);
        await unfold(page);
        await page.evaluate(axe);
        const found = await page.evaluate(() => axe.run(document, { resultTypes: ["violations"] }));
        const serious = found.violations.filter((v) => ["serious", "critical"].includes(v.impact));
        assert.deepEqual(serious.map((v) => [v.id, v.nodes.length, v.nodes[0].html.slice(0, 200), v.nodes[0].failureSummary]), []);
        await page.close();
      });
    }

    it("shows the numbers of the JSON document", async () => {
      const { page } = await open(name, 1280);
      const shown = await page.evaluate(() =>
        [...document.querySelectorAll("[data-json]")].map((e) => [e.dataset.json, e.dataset.value, e.textContent]));
      assert.ok(shown.length > 100, `${shown.length} numbers`);
      const at = (pointer) => pointer.split("/").slice(1).reduce((value, key) => value[key], reports[name].json);
      for (const [pointer, value, text] of shown) {
        const expected = at(pointer);
        // 0.0 and 0 are one number.
        assert.equal(JSON.parse(value), expected, pointer);
        // A count is written out in full, whatever else surrounds it.
        if (Number.isInteger(expected) && !pointer.endsWith("cost_micro_usd") && !/log10|share|jaccard|growth|churn|lift|rate|timeline/.test(pointer)) {
          assert.equal(Number(text.replace(/[^0-9]/g, "")), Math.abs(expected), `${pointer}: ${text}`);
        }
      }
      await page.close();
    });

    it("links only to what is there, and has no id twice", async () => {
      const { page } = await open(name, 1280);
      const [dead, twice] = await page.evaluate(() => {
        const ids = [...document.querySelectorAll("[id]")].map((e) => e.id);
        const links = [...document.querySelectorAll("a")].map((a) => a.getAttribute("href"));
        return [
          links.filter((href) => !href.startsWith("#") || !document.getElementById(href.slice(1))),
          ids.filter((id, at) => ids.indexOf(id) !== at),
        ];
      });
      assert.deepEqual([dead, twice], [[], []]);
      await page.close();
    });
  });
}

describe("the page's script", () => {
  it("sorts a table by what its numbers are, and back", async () => {
    const { page } = await open("demo", 1280);
    const column = (n) => page.evaluate((n) =>
      [...document.querySelector("#changes table").tBodies[0].rows].map((row) => Number(row.cells[n].dataset.value)), n);
    const click = () => page.evaluate(() =>
      document.querySelector("#changes table thead").rows[0].cells[4 + 1].querySelector("button").click());
    const lost = await column(5);
    await click();
    assert.deepEqual(await column(5), lost.toSorted((a, b) => b - a));
    await click();
    assert.deepEqual(await column(5), lost.toSorted((a, b) => a - b));
    await page.close();
  });

  it("finds accounts in long tables", async () => {
    const { page } = await open("large", 1280);
    await page.type("#changes .find input", "1234");
    const rows = await page.evaluate(() =>
      [...document.querySelector("#changes table").tBodies[0].rows].filter((row) => !row.hidden).map((row) => row.cells[0].textContent));
    assert.deepEqual(rows, ["1234"]);
    await page.close();
  });

  it("switches between light and dark", async () => {
    const { page } = await open("demo", 1280, "dark");
    const paper = () => page.evaluate(() => getComputedStyle(document.body).backgroundColor);
    const dark = await paper();
    await page.click("button.theme");
    assert.equal(await paper(), "rgb(255, 255, 255)");
    await page.click("button.theme");
    assert.equal(await paper(), dark);
    await page.close();
  });
});

describe("without its script", () => {
  it("the page is whole", async () => {
    const page = await browser.newPage();
    await page.setJavaScriptEnabled(false);
    await page.goto(reports.demo.url);
    const html = await page.content();
    assert.equal(html.match(/<table/g).length, readFileSync(new URL(reports.demo.url), "utf8").match(/<table/g).length);
    await page.close();
  });
});

describe("on paper", () => {
  it("has light colours and unfolded tables, and fits", async () => {
    const { page } = await open("demo", 1280, "dark");
    await page.evaluate(() => dispatchEvent(new Event("beforeprint")));
    await page.emulateMediaType("print");
    assert.equal(await page.evaluate(() => getComputedStyle(document.body).backgroundColor), "rgb(255, 255, 255)");
    const pdf = await page.pdf({ preferCSSPageSize: true, printBackground: true });
    assert.ok(pdf.length > 10_000);
    if (process.env.SHOTS) writeFileSync(join(process.env.SHOTS, "demo.pdf"), pdf);
    await page.close();
  });
});

describe("300 accounts", () => {
  it("take seconds and less than 5 MB", (t) => {
    const { bytes, seconds } = reports.large;
    t.diagnostic(`${bytes} bytes in ${seconds.toFixed(1)} s`);
    assert.ok(bytes < 5_000_000 && seconds < 60, `${bytes} bytes in ${seconds} s`);
  });
});
