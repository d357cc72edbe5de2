// A large station, made of a small one: the interface's answers are invented, pictures are those of a real channel.

const TITLES = [
  'Harbour, 3 a.m.', 'A Walk in the Moss Garden', 'The Night Ferry', 'Tidewater', 'Lamps Along the Quay', 'Snow',
  'The Incredibly Long Title of a Film That Nobody Has Ever Seen to Its End', 'Rain on the Skylight',
];
const MINUTES = [22, 47, 95, 8, 31, 60];
const HOUR_MS = 3_600_000;

/** Lets a page meet so many channels, c0 and on, that show what `real` shows; returns them with their programmes. */
export async function makeStation(page, count, real, now = Date.now()) {
  const begun = Date.now();
  const channels = Array.from({ length: count }, (_, i) => ({ id: `c${i}`, number: i + 1, name: `Channel of the ${i + 1}th Hour`, state: 'on_air', page: `/watch/c${i}`, programmes: programmes(i, now) }));
  const server_time = () => new Date(now + Date.now() - begun).toISOString();
  await page.route('**/api/channels', (route) => route.fulfill({ json: { station: 'Made', server_time: server_time(), channels: channels.map(nowAndNext) } }));
  await page.route(/\/api\/channels\/c\d+$/, (route) => route.fulfill({ status: 404, body: '' }));
  await page.route('**/api/guide?*', (route) => {
    const asked = new URL(route.request().url()).searchParams;
    const [from, to] = ['from', 'to'].map((name) => Date.parse(asked.get(name)));
    const within = ({ start, end }) => Date.parse(start) < to && Date.parse(end) > from;
    const told = channels.map((channel) => ({ ...channel, truncated: false, programmes: channel.programmes.filter(within) }));
    return route.fulfill({ json: { station: 'Made', server_time: server_time(), channels: told } });
  });
  await page.route(/\/channels\/c\d+\//, (route) => route.continue({ url: route.request().url().replace(/\/channels\/c\d+\//, `/channels/${real}/`) }));
  return { channels };
}

function nowAndNext({ id, name, programmes }) {
  const on = programmes.findIndex(({ stage }) => stage === 'on_air');
  const urls = { page: `/watch/${id}`, playlist: `/channels/${id}/index.m3u8` };
  return { id, name, state: 'on_air', reason: null, now: programmes[on], next: programmes.slice(on + 1, on + 3), urls };
}

function programmes(channel, now) {
  const all = [];
  let start = now - 4 * HOUR_MS - (channel % 7) * 600_000;
  for (let place = 0; start < now + 30 * HOUR_MS; place += 1) {
    const length = MINUTES[(channel * 7 + place * 5) % MINUTES.length] * 60_000;
    const end = start + length;
    all.push({
      serial: place + 1,
      title: TITLES[(channel + place) % TITLES.length],
      author: 'R. Costa',
      date: '1987',
      description: 'A lighthouse keeper counts ships until one of them stops.\nThen he counts himself.',
      slate: false,
      stage: end <= now ? 'aired' : start <= now ? 'on_air' : 'planned',
      start: new Date(start).toISOString(),
      end: new Date(end).toISOString(),
      duration_seconds: length / 1000,
    });
    start = end;
  }
  return all;
}
