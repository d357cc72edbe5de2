// Goal: the pictures of the dashboards show what the panels show. Method: every panel of every dashboard is drawn with
// made-up answers, and the numbers are written as Grafana writes them. No browser is needed for this.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { draw } from '../../scripts/dashboards/draw.mjs';
import { format, mapped, threshold } from '../../scripts/dashboards/format.mjs';

const [START, END] = [1_800_000_000, 1_800_000_360];

/** Answers everything with two series, or with none. */
const answering = (values) => ({
  scrape: 5,
  now: async () => values.map((value, n) => ({ metric: labels(n), value: [END, String(value)] })),
  range: async (_, start, end, step) => {
    const times = Array.from({ length: Math.floor((end - start) / step) + 1 }, (_, n) => start + n * step);
    return values.map((value, n) => ({ metric: labels(n), values: times.map((time, k) => [time, k % 7 === 3 ? 'NaN' : String(value + k)]) }));
  },
});

const labels = (n) => ({
  instance: 'here:9191', channel: `c<${n}`, role: 'on_air', reason: 'killed', problem: 'Something & more', urgency: '1 now',
});

const board = (name) => JSON.parse(readFileSync(new URL(`../../grafana/dashboards/${name}.json`, import.meta.url), 'utf8'));

for (const name of ['station', 'channel', 'machine']) {
  for (const [what, values] of [['answers', [1, 2.5]], ['nothing', []], ['nought', [0, 0]]]) {
    test(`every panel of ${name} can be drawn with ${what}`, async () => {
      const view = { prometheus: answering(values), start: START, end: END, channel: '.+' };
      const svg = await draw(board(name), view);
      for (const panel of board(name).panels) {
        assert.ok(svg.includes(`>${panel.title.replace('&', '&amp;')}<`) || panel.type === 'row', panel.title);
      }
      assert.ok(!/NaN|undefined|Infinity|c<\d/.test(svg), svg.match(/.{60}(NaN|undefined|Infinity|c<\d).{60}/)?.[0]);
    });
  }
}

test('numbers are written as Grafana writes them', () => {
  for (const [value, unit, decimals, written] of [
    [0.00393, 'percentunit', undefined, '0.393%'],
    [0.5, 'percentunit', 1, '50.0%'],
    [27 * 2 ** 20, 'bytes', undefined, '27 MiB'],
    [1_490_000, 'Bps', undefined, '1.49 MB/s'],
    [734_000, 'bps', undefined, '734 kb/s'],
    [0.0045, 's', undefined, '4.50 ms'],
    [4.2449, 's', 1, '4.2 s'],
    [90, 's', undefined, '1.50 mins'],
    [407, 'dtdurations', undefined, '6 minutes'],
    [7.61, 'suffix: ×', 1, '7.6 ×'],
    [12_345, 'short', undefined, '12.3 K'],
    [0, 'none', 0, '0'],
  ]) {
    assert.equal(format(value, unit, decimals), written);
  }
  assert.throws(() => format(1, 'furlongs'), /furlongs/);
});

test('thresholds and mappings give the colour that was set', () => {
  const steps = [{ color: 'green', value: null }, { color: 'red', value: 30 }];
  assert.deepEqual([threshold(steps, 29.9), threshold(steps, 30)], ['#73BF69', '#F2495C']);
  const mappings = [{ type: 'value', options: { 2: { text: 'slate', color: 'yellow' } } }];
  assert.deepEqual([mapped(mappings, 2)?.text, mapped(mappings, 3)], ['slate', undefined]);
});
