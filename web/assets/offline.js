// The page for the time when the station is out of reach: asks again, ever more patiently, and goes where one wanted to go.

/** The first wait between two tries, the longest, and how long a try may take, in milliseconds. */
const FIRST_MS = 1000;
const LONGEST_MS = 10_000;
const TRY_MS = 5000;

const status = document.getElementById('status');
let wait = FIRST_MS;
let timer = 0;
let trying = false;

async function tryAgain() {
  if (trying) return;
  trying = true;
  clearTimeout(timer);
  status.textContent = 'Trying…';
  const answered = await fetch('/healthz', { cache: 'no-store', signal: AbortSignal.timeout(TRY_MS) }).then(({ ok }) => ok, () => false);
  trying = false;
  if (answered) return location.pathname === '/offline' ? location.replace('/') : location.reload();
  const seconds = Math.round(wait / 1000);
  status.textContent = seconds <= 1 ? 'Tries again in a second.' : `Tries again in ${seconds} seconds.`;
  timer = setTimeout(tryAgain, wait);
  wait = Math.min(wait * 2, LONGEST_MS);
}

function now() {
  wait = FIRST_MS;
  tryAgain();
}

document.getElementById('again').addEventListener('click', now);
addEventListener('online', now);
document.addEventListener('visibilitychange', () => document.hidden || now());
timer = setTimeout(tryAgain, wait);
