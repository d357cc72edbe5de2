// A station with faults and a Prometheus that reads it: worth looking at.
import { execFileSync, spawn } from "node:child_process";
import { mkdirSync, readFileSync, readdirSync, readlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { createInterface } from "node:readline";

const PICTURE = '[channel.picture]\nsize = "320x180"\npreset = "ultrafast"\n';
const channel = (id, name) => `[[channel]]\nid = "${id}"\nname = "${name}"\nfolder = "media/${id}"\nrewind = "10min"\n${PICTURE}\n`;

/** One that is well, one whose ffmpeg is killed, one with bad files, one without films. */
const CHANNELS = [channel("cats", "Cats"), channel("news", "News"), channel("movies", "Movies"), channel("music", "Music")].join("");

const settings = (more = "") =>
  `[station]\nname = "Night Owl"\nlisten = "127.0.0.1:0"\nsettle-seconds = 0.5\ncache-budget = "2GB"\n\n[metrics]\nlisten = "127.0.0.1:0"\n\n${CHANNELS}${more}`;

function film(path, seconds, codec) {
  const picture = `testsrc2=s=640x360:r=25:d=${seconds}`;
  const args = ["-v", "error", "-nostdin", "-y", "-f", "lavfi", "-i", picture, "-f", "lavfi", "-i", `sine=f=440:r=48000:d=${seconds}`];
  const codecs = codec === "fit" ? ["-c:v", "libx264", "-preset", "ultrafast", "-pix_fmt", "yuv420p", "-g", "50"] : ["-c:v", "mpeg4", "-q:v", "4"];
  execFileSync("ffmpeg", [...args, ...codecs, "-c:a", "aac", path]);
}

/** Starts a program and waits for a line that it says. */
function started(program, args, folder, wanted) {
  const child = spawn(program, args, { cwd: folder, stdio: ["ignore", "ignore", "pipe"] });
  const lines = createInterface({ input: child.stderr });
  const found = new Promise((resolve, reject) => {
    const seen = [];
    lines.on("line", (line) => {
      seen.push(line);
      const all = wanted.map((pattern) => seen.map((one) => pattern.exec(one)?.[1]).find(Boolean));
      if (all.every(Boolean)) resolve(all);
    });
    child.on("exit", (code) => reject(new Error(`${program} ended with ${code}:\n${seen.join("\n")}`)));
  });
  return { child, found };
}

export class Station {
  constructor(folder) {
    this.folder = folder;
    this.children = [];
    for (const id of ["cats", "news", "movies", "music"]) mkdirSync(join(folder, "media", id), { recursive: true });
    [40, 50, 70].forEach((seconds, n) => {
      film(this.media(`cats/${n}.mp4`), seconds, "fit");
      film(this.media(`news/${n}.mp4`), seconds + 5, "fit");
    });
    film(this.media("movies/0.avi"), 90, "unfit");
    film(this.media("movies/1.mp4"), 60, "fit");
    writeFileSync(this.media("movies/broken.mp4"), "this is not a film");
    writeFileSync(join(folder, "channels.toml"), settings());
  }

  media(name) {
    return join(this.folder, "media", name);
  }

  async start(program) {
    const args = ["--config", "channels.toml", "--log-format", "json", "run"];
    const { child, found } = started(program, args, this.folder, [/is on air: open http:\/\/([^/]+)/, /metrics are at http:\/\/([^/]+)/]);
    this.children.push(child);
    this.pid = child.pid;
    [this.address, this.metrics] = await found;
  }

  /** Prometheus with this project's settings and rules, so often. */
  async watched(root, scrape) {
    const text = readFileSync(join(root, "grafana/prometheus.yml"), "utf8");
    const often = text.replace(/(scrape_interval|evaluation_interval): \d+s/g, `$1: ${scrape}s`).replace(/scrape_timeout: \d+s/, "scrape_timeout: 2s");
    writeFileSync(join(this.folder, "prometheus.yml"), often);
    writeFileSync(join(this.folder, "rules.yml"), readFileSync(join(root, "grafana/rules.yml")));
    writeFileSync(join(this.folder, "targets.yml"), `- targets: ["${this.metrics}"]\n`);
    const args = ["--config.file=prometheus.yml", "--storage.tsdb.path=prometheus", "--web.listen-address=127.0.0.1:0"];
    const { child, found } = started("prometheus", args, this.folder, [/msg="Listening on" address=(\S+)/]);
    this.children.push(child);
    return (await found)[0];
  }

  /** One look as a player's: the playlist, and its newest segment. */
  async view(id, viewer) {
    const headers = { "user-agent": `player ${viewer}` };
    const base = `http://${this.address}/channels/${id}`;
    const playlist = await (await fetch(`${base}/index.m3u8`, { headers })).text();
    const segment = playlist.split("\n").findLast((line) => line.startsWith("segments/"));
    if (segment) await (await fetch(`${base}/${segment}`, { headers })).arrayBuffer();
  }

  /** Kills the on-air ffmpeg of a channel. */
  kill(id) {
    for (const pid of readdirSync("/proc").filter((name) => /^\d+$/.test(name))) {
      try {
        const ours = readFileSync(`/proc/${pid}/stat`, "utf8").split(") ")[1].split(" ")[1] === String(this.pid);
        if (ours && readlinkSync(`/proc/${pid}/cwd`).split("/").at(-1).startsWith(`${id}-`)) process.kill(Number(pid), "SIGKILL");
      } catch {
        // It ended while it was looked at.
      }
    }
  }

  /** Saves a configuration that is refused. */
  mistake() {
    writeFileSync(join(this.folder, "channels.toml"), settings("[[channel]]\nname = 7\n"));
  }

  /** A new film, while it runs. */
  film(name, seconds) {
    film(join(this.folder, "new.avi"), seconds, "unfit");
    execFileSync("mv", [join(this.folder, "new.avi"), this.media(name)]);
  }

  stop() {
    for (const child of this.children.reverse()) {
      child.removeAllListeners("exit");
      child.kill("SIGTERM");
    }
  }
}
