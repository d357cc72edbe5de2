// Draws a dashboard as Grafana lays it out: one picture, every panel with what Prometheus answers.
import { answers, marks } from "./ask.mjs";
import { KINDS, rect, write } from "./panels.mjs";

/** What Grafana takes for a screen of this width. */
const WIDTH = 1440;
const [CELL, GAP, HEAD] = [30, 8, 64];

const place = ({ x, y, w, h }) => ({
  x: (x / 24) * (WIDTH - GAP) + GAP,
  y: HEAD + y * (CELL + GAP),
  w: (w / 24) * (WIDTH - GAP) - GAP,
  h: h * (CELL + GAP) - GAP,
});

/** Returns the picture of a dashboard as SVG. */
export async function draw(board, view) {
  const below = Math.max(...board.panels.map((panel) => panel.gridPos.y + panel.gridPos.h));
  const height = HEAD + below * (CELL + GAP) + GAP;
  const moments = await marks(board, view);
  const parts = [rect(0, 0, WIDTH, height, "#111217"), write(16, 38, board.title, { size: 20, weight: 500 })];
  const chosen = view.channel === ".+" ? "all channels" : `channel ${view.channel}`;
  const span = [view.start, view.end].map((time) => new Date(time * 1000).toISOString().slice(11, 16)).join(" to ");
  parts.push(write(WIDTH - 16, 38, `${chosen}, ${span} UTC`, { anchor: "end", fill: "#9fa3ab" }));
  for (const panel of board.panels) {
    const { x, y, w, h } = place(panel.gridPos);
    if (panel.type === "row") {
      parts.push(write(x + 6, y + 20, `⌄  ${panel.title}`, { size: 15, weight: 500 }));
      continue;
    }
    const told = await answers(panel, view, w);
    const drawn = KINDS[panel.type]({ w, h, panel, answers: told, view, marks: moments, clip: `clip${panel.id}` });
    const title = write(10, 22, panel.title, { size: 13, weight: 600, fill: drawn.title ?? "#ccccdc" });
    const box = rect(0, 0, w, h, "#181b1f", 'stroke="#2c3035" rx="3"');
    parts.push(`<g transform="translate(${x.toFixed(1)} ${y})">${box}${drawn.back ?? ""}${title}${drawn.front}</g>`);
  }
  return `<svg xmlns="http://www.w3.org/2000/svg" width="${WIDTH}" height="${height}" font-family="Inter, DejaVu Sans, sans-serif">\n${parts.join("\n")}\n</svg>\n`;
}

export { WIDTH };
