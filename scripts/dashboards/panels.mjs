// Panels as SVG: each kind of panel that the dashboards use, in a box of its own.
import { colour, format, mapped, palette, threshold } from "./format.mjs";

const escaped = (text) => String(text).replace(/[&<>"]/g, (c) => ({ "&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;" })[c]);
const DIM = "#9fa3ab";
const GRID = "#2c3035";

/** How wide a text is, about: DejaVu Sans and Inter differ by less than a letter in ten. */
const wide = (text, size) => String(text).length * size * 0.56;

function write(x, y, text, { size = 12, fill = "#ccccdc", anchor = "start", weight = 400 } = {}) {
  return `<text x="${x.toFixed(1)}" y="${y.toFixed(1)}" font-size="${size}" fill="${fill}" text-anchor="${anchor}" font-weight="${weight}">${escaped(text)}</text>`;
}

function cut(text, width, size) {
  const letters = Math.floor(width / (size * 0.56));
  return text.length > letters ? `${text.slice(0, Math.max(1, letters - 1))}…` : text;
}

const rect = (x, y, w, h, fill, more = "") =>
  `<rect x="${x.toFixed(1)}" y="${y.toFixed(1)}" width="${Math.max(0, w).toFixed(1)}" height="${Math.max(0, h).toFixed(1)}" fill="${fill}" ${more}/>`;

const shownAs = (defaults, value) => {
  const map = mapped(defaults.mappings, value);
  return map ?? { text: format(value, defaults.unit, defaults.decimals), colour: threshold(defaults.thresholds?.steps, value) };
};

export function stat({ w, h, panel, answers }) {
  const defaults = panel.fieldConfig.defaults;
  const row = answers.tables[0]?.rows[0];
  const shown = row ? shownAs(defaults, row.value) : { text: defaults.noValue ?? "No data", colour: DIM };
  const filled = panel.options.colorMode === "background" && row;
  const size = Math.min(44, (w - 24) / (shown.text.length * 0.66), h * 0.42);
  const middle = 30 + (h - 30) / 2 + size * 0.32;
  const back = filled ? rect(1, 1, w - 2, h - 2, shown.colour, 'rx="3" opacity="0.92"') : "";
  const fill = filled ? "#111217" : shown.colour;
  return { back, front: write(w / 2, middle, shown.text, { size, fill, anchor: "middle", weight: 600 }), title: filled ? "#111217" : undefined };
}

export function gauge({ w, h, panel, answers }) {
  const { defaults } = panel.fieldConfig;
  const row = answers.tables[0]?.rows[0];
  if (!row) return { front: write(w / 2, h / 2 + 12, "No data", { fill: DIM, anchor: "middle", size: 16 }) };
  const [min, max] = [defaults.min ?? 0, defaults.max ?? 1];
  const [cx, cy, r] = [w / 2, h - 14, Math.min(w / 2 - 20, h - 52)];
  const arc = (from, to, radius, thick, fill) => {
    const at = (part, rr) => {
      const angle = Math.PI * (1 - Math.min(1, Math.max(0, part)));
      return `${(cx + rr * Math.cos(angle)).toFixed(1)} ${(cy - rr * Math.sin(angle)).toFixed(1)}`;
    };
    const inner = radius - thick;
    return `<path d="M ${at(from, radius)} A ${radius} ${radius} 0 0 1 ${at(to, radius)} L ${at(to, inner)} A ${inner} ${inner} 0 0 0 ${at(from, inner)} Z" fill="${fill}"/>`;
  };
  const part = (row.value - min) / (max - min);
  const fill = threshold(defaults.thresholds?.steps, row.value);
  const steps = defaults.thresholds?.steps ?? [];
  const marks = steps.map((step, n) => {
    const [from, to] = [((step.value ?? min) - min) / (max - min), ((steps[n + 1]?.value ?? max) - min) / (max - min)];
    return arc(from, to, r + 6, 3, colour(step.color));
  });
  const text = format(row.value, defaults.unit, defaults.decimals);
  return { front: arc(0, 1, r, r * 0.32, GRID) + arc(0, part, r, r * 0.32, fill) + marks.join("") + write(cx, cy - 2, text, { size: 20, fill, anchor: "middle", weight: 600 }) };
}

/** Round ticks from nought, or from below it; whole ones where no decimals are shown, and powers of two for bytes. */
function ticks(low, high, count, { unit, decimals }) {
  const raw = Math.max((high - low) / count || 1, decimals === 0 && unit === "none" ? 1 : 0);
  if (unit === "bytes" && raw > 1) {
    const step = 2 ** Math.ceil(Math.log2(raw));
    return Array.from({ length: Math.ceil(high / step) + 1 }, (_, n) => n * step);
  }
  const size = 10 ** Math.floor(Math.log10(raw));
  const step = size * ([1, 2, 2.5, 5, 10].find((n) => n * size >= raw) ?? 10);
  const all = [];
  for (let tick = Math.floor(low / step) * step; all.length < 20; tick += step) {
    all.push(Math.abs(tick) < step / 1e6 ? 0 : tick);
    if (tick >= high - step / 1e6) break;
  }
  return all;
}

function properties(panel, name) {
  const found = panel.fieldConfig.overrides.filter((one) => one.matcher.options === name).flatMap((one) => one.properties);
  return Object.fromEntries(found.map((property) => [property.id, property.value]));
}

function legends(panel, series, w, top, height, mark) {
  const { defaults } = panel.fieldConfig;
  const rows = Math.max(0, Math.floor((height - 20) / 18));
  const lines = [write(w - 118, top + 12, "Last *", { fill: "#6E9FFF", size: 11, anchor: "end" }), write(w - 22, top + 12, "Max", { fill: "#6E9FFF", size: 11, anchor: "end" })];
  const most = (one) => Math.max(...one.points.map(([, value]) => value));
  const sorted = panel.options.legend.sortBy === "Max" ? [...series].sort((a, b) => most(b) - most(a)) : series;
  sorted.slice(0, rows).forEach((one, n) => {
    const y = top + 30 + n * 18;
    const own = properties(panel, one.legend);
    const say = (value) => format(value, own.unit ?? defaults.unit, own.decimals ?? defaults.decimals);
    lines.push(rect(12, y - 6, 14, 3, mark(one)), write(32, y, cut(one.name, w - 250, 12), { size: 12 }));
    lines.push(write(w - 118, y, say(one.points.at(-1)[1]), { anchor: "end" }), write(w - 22, y, say(most(one)), { anchor: "end" }));
  });
  if (series.length > rows) lines.push(write(w / 2, top + height, `${series.length - rows} more below`, { size: 9, fill: DIM, anchor: "middle" }));
  return lines.join("");
}

export function timeseries({ w, h, panel, answers, view, marks, clip }) {
  const { defaults } = panel.fieldConfig;
  const custom = defaults.custom ?? {};
  const series = answers.series;
  if (!series.length) return { front: write(w / 2, h / 2, "No data", { size: 16, fill: DIM, anchor: "middle" }) };
  series.forEach((one, n) => Object.assign(one, { fill: palette[n % palette.length], legend: one.name }));
  // Grafana gives the legend what it needs, up to 35 %.
  const legend = Math.min(20 + 18 * series.length, Math.floor(h * 0.35));
  const stacked = custom.stacking?.mode === "normal";
  const sums = new Map();
  for (const one of series) {
    one.top = one.points.map(([time, value]) => {
      const own = properties(panel, one.name);
      const base = stacked && !own["custom.axisPlacement"] ? (sums.get(time) ?? 0) : 0;
      if (stacked) sums.set(time, base + value);
      return [time, base + value, base];
    });
  }
  const apart = series.filter((one) => properties(panel, one.name)["custom.axisPlacement"]);
  const main = series.filter((one) => !apart.includes(one));
  const span = (all) => {
    const values = all.flatMap((one) => one.top.map(([, value]) => value));
    let [low, high] = [Math.min(...values), Math.max(...values)];
    if (custom.axisSoftMin !== undefined) low = Math.min(low, custom.axisSoftMin);
    if (custom.axisSoftMax !== undefined) high = Math.max(high, custom.axisSoftMax);
    [low, high] = [defaults.min ?? low, defaults.max ?? high];
    if (high === low) high = low + (Math.abs(low) || 1);
    return ticks(low, high, 4, defaults);
  };
  const all = span(main.length ? main : series);
  const say = (value) => format(value, defaults.unit, defaults.decimals);
  const left = 14 + Math.max(...all.map((tick) => wide(say(tick), 11)));
  const box = { x: left, y: 38, w: w - left - 16, h: h - 38 - 24 - legend };
  const scale = (list) => (value) => box.y + box.h - ((value - list[0]) / (list.at(-1) - list[0])) * box.h;
  const px = (time) => box.x + ((time - view.start) / (view.end - view.start)) * box.w;
  const py = scale(all);
  const out = all.map((tick) => rect(box.x, py(tick), box.w, 1, GRID) + write(box.x - 6, py(tick) + 4, say(tick), { size: 11, fill: DIM, anchor: "end" }));
  const every = [15, 30, 60, 120, 300, 600, 900, 1800].find((n) => (view.end - view.start) / n < box.w / 70) ?? 3600;
  for (let time = Math.ceil(view.start / every) * every; time < view.end; time += every) {
    const label = new Date(time * 1000).toISOString().slice(11, every < 60 ? 19 : 16);
    out.push(rect(px(time), box.y, 1, box.h, GRID), write(px(time), box.y + box.h + 16, label, { size: 11, fill: DIM, anchor: "middle" }));
  }
  const shapes = [];
  for (const one of series) {
    const y = apart.includes(one) ? scale(span([one])) : py;
    const at = ([time, value]) => `${px(time).toFixed(1)} ${y(value).toFixed(1)}`;
    // Where there was no number, the line is broken.
    const pieces = [];
    one.top.forEach((point, n) => {
      if (!n || point[0] - one.top[n - 1][0] > one.step * 1.5) pieces.push([]);
      pieces.at(-1).push(point);
    });
    if (custom.drawStyle === "bars") {
      const width = Math.max(2, (one.step / (view.end - view.start)) * box.w * 0.8);
      one.top.filter(([, value, base]) => value > base).forEach(([time, value, base]) => {
        shapes.push(rect(px(time) - width / 2, y(value), width, y(base) - y(value), one.fill, 'opacity="0.8"'));
      });
      continue;
    }
    const opacity = (custom.fillOpacity ?? 0) / 100;
    for (const piece of pieces) {
      const line = `M${piece.map(at).join("L")}`;
      const back = [...piece].reverse().map(([time, , base]) => at([time, Math.max(base, all[0])])).join("L");
      if (opacity && !apart.includes(one)) shapes.push(`<path d="${line}L${back}Z" fill="${one.fill}" opacity="${opacity}"/>`);
      shapes.push(`<path d="${line}" fill="none" stroke="${one.fill}" stroke-width="1.3"/>`);
    }
  }
  if (custom.thresholdsStyle) {
    for (const step of defaults.thresholds.steps.filter((step) => step.value !== null && step.value <= all.at(-1) && step.value >= all[0])) {
      shapes.push(rect(box.x, py(step.value), box.w, 1.5, colour(step.color)));
    }
  }
  for (const mark of marks) {
    shapes.push(`<path d="M${px(mark.moment).toFixed(1)} ${box.y}v${box.h}" stroke="${colour(mark.colour)}" stroke-dasharray="3 3" opacity="0.8"/>`);
  }
  out.push(`<clipPath id="${clip}">${rect(box.x, box.y - 2, box.w, box.h + 4, "#fff")}</clipPath><g clip-path="url(#${clip})">${shapes.join("")}</g>`);
  return { front: out.join("") + legends(panel, series, w, h - legend - 2, legend, (one) => one.fill) };
}

export function timeline({ w, h, panel, answers, view }) {
  const { defaults } = panel.fieldConfig;
  const series = answers.series;
  if (!series.length) return { front: write(w / 2, h / 2, "No data", { size: 16, fill: DIM, anchor: "middle" }) };
  const left = 20 + Math.max(...series.map((one) => wide(one.name, 12)));
  const box = { x: left, y: 38, w: w - left - 16, h: h - 38 - 46 };
  const px = (time) => box.x + Math.max(0, (time - view.start) / (view.end - view.start)) * box.w;
  const each = box.h / series.length;
  const out = [];
  series.forEach((one, n) => {
    const y = box.y + n * each;
    out.push(write(left - 8, y + each / 2 + 4, one.name, { anchor: "end" }));
    let begun = 0;
    one.points.forEach(([time, value], k) => {
      const next = one.points[k + 1];
      const broken = !next || next[1] !== value || next[0] - time > one.step * 1.5;
      if (!broken) return;
      const shown = shownAs(defaults, value);
      const [from, to] = [px(one.points[begun][0]), px(Math.min(view.end, time + one.step))];
      out.push(rect(from, y + each * 0.08, to - from, each * 0.84, shown.colour, 'opacity="0.8"'));
      if (to - from > wide(shown.text, 12) + 8) out.push(write(from + 6, y + each / 2 + 4, shown.text, { fill: "#111217" }));
      begun = k + 1;
    });
  });
  for (let time = Math.ceil(view.start / 60) * 60; time < view.end; time += 60) {
    out.push(write(px(time), box.y + box.h + 16, new Date(time * 1000).toISOString().slice(11, 16), { size: 11, fill: DIM, anchor: "middle" }));
  }
  let x = 14;
  if (panel.options.legend.showLegend) {
    for (const option of Object.values(defaults.mappings[0].options)) {
      out.push(rect(x, h - 17, 14, 4, colour(option.color)), write(x + 20, h - 10, option.text));
      x += 40 + wide(option.text, 12);
    }
  }
  return { front: out.join("") };
}

/** The rows of a table after Grafana's merge and organize. */
function arranged(panel, tables) {
  const merged = new Map();
  const many = tables.length > 1;
  for (const { letter, rows } of tables) {
    for (const { labels, value } of rows) {
      const key = many ? [labels.instance, labels.channel].join("|") : JSON.stringify(labels);
      merged.set(key, { ...merged.get(key), ...labels, [many ? `Value #${letter}` : "Value"]: value });
    }
  }
  const organize = (panel.transformations ?? []).find((one) => one.id === "organize").options;
  const keys = Object.entries(organize.indexByName).sort((a, b) => a[1] - b[1]).map(([key]) => key).filter((key) => !organize.excludeByName[key]);
  const columns = keys.filter((key) => organize.renameByName[key]).map((key) => ({ key, name: organize.renameByName[key] }));
  const rows = [...merged.values()];
  const sort = panel.options.sortBy?.[0];
  const by = columns.find((column) => column.name === sort?.displayName)?.key;
  if (by) rows.sort((a, b) => String(a[by] ?? "").localeCompare(String(b[by] ?? "")));
  return { columns, rows };
}

export function table({ w, h, panel, answers }) {
  const { defaults } = panel.fieldConfig;
  const { columns, rows } = arranged(panel, answers.tables);
  if (!rows.length) return { front: write(w / 2, h / 2 + 10, defaults.noValue ?? "No data", { size: 16, fill: DIM, anchor: "middle" }) };
  const own = Object.fromEntries(columns.map((column) => [column.name, properties(panel, column.name)]));
  const fixed = columns.reduce((sum, column) => sum + (own[column.name]["custom.width"] ?? 0), 0);
  const free = columns.filter((column) => !own[column.name]["custom.width"]).length;
  const fits = Math.floor((h - 68) / 30);
  const out = [];
  let x = 8;
  for (const column of columns) {
    const set = own[column.name];
    const width = set["custom.width"] ?? (w - 16 - fixed) / free;
    const number = rows.some((row) => typeof row[column.key] === "number") && !(set.mappings);
    const [at, anchor] = number ? [x + width - 12, "end"] : [x + 6, "start"];
    out.push(write(at, 56, cut(column.name, width - 8, 12), { fill: "#6E9FFF", anchor, weight: 500 }));
    rows.slice(0, fits).forEach((row, n) => {
      const y = 68 + n * 30;
      const value = row[column.key];
      const steps = set.thresholds ?? defaults.thresholds;
      const settings = { ...defaults, ...set, thresholds: steps };
      const shown = mapped(set.mappings, value) ?? (typeof value === "number" ? shownAs({ ...settings, mappings: [] }, value) : { text: value ?? "", colour: colour("text") });
      const way = set["custom.cellOptions"]?.type;
      const plain = shown.colour === colour("text");
      if (way === "color-background" && !plain && shown.text !== "") out.push(rect(x, y + 1, width - 2, 28, shown.colour));
      const fill = way === "color-background" && !plain ? "#111217" : way === "color-text" ? shown.colour : set["links"] ? "#6E9FFF" : "#ccccdc";
      out.push(write(at, y + 19, cut(String(shown.text), width - 8, 12), { fill, anchor }));
    });
    x += width;
  }
  rows.slice(0, fits).forEach((_, n) => out.push(rect(8, 68 + n * 30 + 29.5, w - 16, 1, GRID)));
  if (rows.length > fits) out.push(write(w / 2, h - 4, `${rows.length - fits} more below`, { size: 10, fill: DIM, anchor: "middle" }));
  return { front: out.join("") };
}

export const KINDS = { stat, gauge, timeseries, "state-timeline": timeline, table };
export { write, rect };
