// Draws the dashboards from a real station and a real Prometheus that ran for MINUTES: main.mjs PROGRAM OUT-FOLDER
// With KEEP=1 both go on afterwards, and `main.mjs --again ADDRESS START END OUT-FOLDER` draws once more.
import { execFileSync } from "node:child_process";
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { setTimeout as rest } from "node:timers/promises";
import { Prometheus } from "./ask.mjs";
import { WIDTH, draw } from "./draw.mjs";
import { Station } from "./station.mjs";

const ROOT = resolve(import.meta.dirname ?? new URL(".", import.meta.url).pathname, "../..");
const SCRAPE = Number(process.env.SCRAPE ?? 5);
const BROWSERS = ["chromium", "chromium-browser", "google-chrome"];

function picture(svg, png) {
  const height = /height="(\d+)"/.exec(readFileSync(svg, "utf8").slice(0, 200))[1];
  const args = ["--headless", "--no-sandbox", "--disable-gpu", "--hide-scrollbars", `--window-size=${WIDTH},${height}`, `--screenshot=${png}`, svg];
  for (const browser of BROWSERS) {
    try {
      execFileSync(browser, args, { stdio: "ignore" });
    } catch (error) {
      if (error.code === "ENOENT") continue;
      throw error;
    }
    // 128 colours are enough for lines and letters, and a quarter of the size.
    const colours = "split[a][b];[a]palettegen=max_colors=128:stats_mode=full[p];[b][p]paletteuse=dither=none";
    execFileSync("ffmpeg", ["-v", "error", "-y", "-i", png, "-vf", colours, `${png}.small.png`]);
    execFileSync("mv", [`${png}.small.png`, png]);
    return;
  }
  throw new Error(`no browser (${BROWSERS.join(", ")})`);
}

async function drawAll(prometheus, start, end, out) {
  mkdirSync(out, { recursive: true });
  for (const [name, channel] of [["station", ".+"], ["channel", "news"], ["machine", ".+"]]) {
    const board = JSON.parse(readFileSync(join(ROOT, `grafana/dashboards/${name}.json`), "utf8"));
    const svg = join(out, `${name}.svg`);
    writeFileSync(svg, await draw(board, { prometheus, start, end, channel }));
    picture(resolve(svg), resolve(out, `${name}.png`));
    console.log(`drawn: ${join(out, `${name}.png`)}`);
  }
}

/** What happens while it runs, by part of the whole time. */
const FAULTS = [
  [0.25, (station) => station.kill("news")],
  [0.4, (station) => station.film("movies/late.avi", 80)],
  [0.5, (station) => writeFileSync(station.media("movies/also-broken.mkv"), "nor is this")],
  [0.55, (station) => station.kill("news")],
  [0.6, (station) => station.mistake()],
  [0.7, (station) => station.kill("news")],
];

async function live(station, seconds) {
  const [begun, faults] = [Date.now(), [...FAULTS]];
  for (let passed = 0; passed < seconds; passed = (Date.now() - begun) / 1000) {
    while (faults.length && passed > faults[0][0] * seconds) faults.shift()[1](station);
    const many = Math.round(3 + 3 * Math.sin((passed / seconds) * 6));
    const audience = [["cats", many], ["news", 2], ["movies", 1]];
    const views = audience.flatMap(([id, count]) => Array.from({ length: count }, (_, n) => station.view(id, n)));
    await Promise.allSettled(views);
    await rest(4000);
  }
}

async function main([program, out]) {
  const folder = mkdtempSync(join(tmpdir(), "dashboards-"));
  const station = new Station(folder);
  for (const signal of ["SIGINT", "SIGTERM"]) {
    process.on(signal, () => {
      station.stop();
      rmSync(folder, { recursive: true, force: true });
      process.exit(1);
    });
  }
  try {
    await station.start(resolve(program));
    const address = await station.watched(ROOT, SCRAPE);
    const start = Math.floor(Date.now() / 1000);
    const minutes = Number(process.env.MINUTES ?? 6);
    console.log(`a station and a Prometheus (http://${address}) run for ${minutes} minutes`);
    await live(station, minutes * 60);
    const end = Math.floor(Date.now() / 1000);
    await drawAll(new Prometheus(address, SCRAPE), start, end, out);
    if (process.env.KEEP) {
      console.log(`to draw again: main.mjs --again ${address} ${start} ${end} ${out}; Ctrl-C ends`);
      await live(station, 24 * 3600);
    }
  } finally {
    station.stop();
    await rest(3000);
    rmSync(folder, { recursive: true, force: true });
  }
}

const args = process.argv.slice(2);
if (args[0] === "--again") {
  const [, address, start, end, out] = args;
  await drawAll(new Prometheus(address, SCRAPE), Number(start), Number(end), out);
} else {
  await main(args);
}
