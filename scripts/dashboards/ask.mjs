// What a dashboard's panels ask Prometheus, and what comes back, as Grafana would arrange it.

export class Prometheus {
  constructor(address, scrape) {
    this.address = address;
    this.scrape = scrape;
  }

  async ask(path, fields) {
    const answer = await fetch(`http://${this.address}/api/v1/${path}?${new URLSearchParams(fields)}`);
    const told = await answer.json();
    if (told.status !== "success") throw new Error(`${told.error}: ${fields.query}`);
    return told.data;
  }

  async now(query, time) {
    return (await this.ask("query", { query, time })).result;
  }

  async range(query, start, end, step) {
    return (await this.ask("query_range", { query, start, end, step })).result;
  }
}

/** Seconds of "1m", "30s". */
const length = (text) => parseFloat(text) * { s: 1, m: 60, h: 3600 }[text.at(-1)];

/** An expression with its variables filled in, and the step that a panel of this width takes. */
function filled(expr, view, width, least) {
  const step = Math.max(Math.ceil((view.end - view.start) / width), view.prometheus.scrape, least ? length(least) : 0);
  const rate = Math.max(step + view.prometheus.scrape, 4 * view.prometheus.scrape);
  const text = expr
    .replaceAll("$__rate_interval", `${rate}s`)
    .replaceAll("$job", ".+")
    .replaceAll("$instance", ".+")
    .replaceAll("$channel", view.channel);
  return { text, step };
}

function legend(format, labels) {
  if (format && format !== "__auto") return format.replace(/\{\{\s*(\w+)\s*\}\}/g, (_, name) => labels[name] ?? "");
  const told = Object.entries(labels).map(([name, value]) => `${name}="${value}"`);
  return told.length ? `{${told.join(", ")}}` : "Value";
}

/** Everything that a panel shows: series of points, or rows of a table. */
export async function answers(panel, view, width) {
  const series = [];
  const tables = [];
  for (const target of panel.targets ?? []) {
    const { text, step } = filled(target.expr, view, width, target.interval ?? panel.interval);
    if (target.instant) {
      const rows = await view.prometheus.now(text, view.end);
      tables.push({ letter: target.refId, rows: rows.map((row) => ({ labels: row.metric, value: Number(row.value[1]) })) });
      continue;
    }
    const aligned = { start: Math.floor(view.start / step) * step, end: Math.floor(view.end / step) * step };
    for (const one of await view.prometheus.range(text, aligned.start, aligned.end, step)) {
      const points = one.values.map(([time, value]) => [time, Number(value)]).filter(([, value]) => Number.isFinite(value));
      if (points.length) series.push({ name: legend(target.legendFormat, one.metric), labels: one.metric, points, step });
    }
  }
  return { series, tables };
}

/** The moments that a dashboard marks. */
export async function marks(board, view) {
  const found = [];
  for (const note of board.annotations.list.filter((note) => note.expr && note.enable)) {
    const { text, step } = filled(note.expr, view, 1e9, note.step);
    for (const one of await view.prometheus.range(text, view.start, view.end, step)) {
      let last = -Infinity;
      for (const [time, value] of one.values) {
        const moment = note.useValueForTime ? Number(value) / 1000 : time;
        // One mark for what lasts over several steps.
        if (moment >= view.start && moment - last > 2 * step) found.push({ moment, colour: note.iconColor });
        last = Math.max(moment, last);
      }
    }
  }
  return found;
}
