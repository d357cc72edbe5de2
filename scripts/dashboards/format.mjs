// Numbers as Grafana writes them, for the units that the dashboards use.

const scaled = (factor, units) => (value, decimals) => {
  let [n, unit] = [0, value];
  while (Math.abs(unit) >= factor && n < units.length - 1) {
    unit /= factor;
    n += 1;
  }
  return [fixed(unit, decimals), units[n]];
};

/** As many digits as tell something: three. */
function automatic(value) {
  if (value === 0 || value % 1 === 0) return 0;
  const size = Math.floor(Math.log10(Math.abs(value)));
  let decimals = 1 - size;
  if (value / 10 ** -decimals > 2.25) decimals += 1;
  return Math.max(0, Math.min(decimals, 6));
}

function fixed(value, decimals) {
  return value.toFixed(decimals ?? automatic(value));
}

function seconds(value, decimals) {
  const size = Math.abs(value);
  if (size === 0) return ["0", "s"];
  if (size < 1e-3) return [fixed(value * 1e6, decimals), "µs"];
  if (size < 1) return [fixed(value * 1e3, decimals), "ms"];
  if (size < 60) return [fixed(value, decimals), "s"];
  if (size < 3600) return [fixed(value / 60, decimals), "mins"];
  if (size < 86400) return [fixed(value / 3600, decimals), "hours"];
  return [fixed(value / 86400, decimals), "days"];
}

function duration(value) {
  for (const [name, length] of [["day", 86400], ["hour", 3600], ["minute", 60], ["second", 1]]) {
    const count = Math.floor(value / length);
    if (count >= 1) return [`${count}`, count === 1 ? name : `${name}s`];
  }
  return ["0", "seconds"];
}

const units = {
  none: (value, decimals) => [fixed(value, decimals), ""],
  short: scaled(1000, ["", "K", "Mil", "Bil", "Tri"]),
  s: seconds,
  dtdurations: duration,
  percentunit: (value, decimals) => [`${fixed(value * 100, decimals)}%`, ""],
  bytes: scaled(1024, ["B", "KiB", "MiB", "GiB", "TiB"]),
  Bps: scaled(1000, ["B/s", "kB/s", "MB/s", "GB/s"]),
  bps: scaled(1000, ["b/s", "kb/s", "Mb/s", "Gb/s"]),
  cps: scaled(1000, ["c/s", "Kc/s", "Mc/s"]),
  reqps: scaled(1000, ["req/s", "Kreq/s"]),
  dateTimeAsIso: (value) => [new Date(value).toISOString().slice(0, 19).replace("T", " "), ""],
};

/** A value in a unit, with the decimals that the panel sets or as many as tell something. */
export function format(value, unit = "none", decimals = undefined) {
  if (value === null || value === undefined || Number.isNaN(value)) return "";
  const [, suffix] = unit.split("suffix:");
  const way = suffix ? (v, d) => [fixed(v, d), suffix.trim()] : units[unit];
  if (!way) throw new Error(`the unit ${unit} cannot be drawn`);
  const [text, behind] = way(value, decimals);
  return behind ? `${text} ${behind}`.trim() : text;
}

const colours = {
  green: "#73BF69", red: "#F2495C", orange: "#FF9830", yellow: "#FADE2A", blue: "#5794F2", purple: "#B877D9", text: "#ccccdc",
};

/** Grafana's classic palette, in its order. */
export const palette = [
  "#73BF69", "#F2CC0C", "#8AB8FF", "#FF780A", "#F2495C", "#5794F2", "#B877D9", "#705DA0", "#37872D", "#FADE2A",
  "#447EBC", "#C15C17", "#890F02", "#0A437C",
];

export const colour = (name) => colours[name] ?? name;

/** The colour of the last threshold that a value reaches. */
export function threshold(steps, value) {
  const reached = (steps ?? []).filter((step) => step.value === null || value >= step.value);
  return colour(reached.at(-1)?.color ?? "text");
}

/** What a mapping makes of a value: text and colour, or nothing. */
export function mapped(mappings, value) {
  for (const mapping of mappings ?? []) {
    const found = mapping.options?.[String(value)];
    if (mapping.type === "value" && found) return { text: found.text ?? String(value), colour: colour(found.color) };
  }
  return undefined;
}
