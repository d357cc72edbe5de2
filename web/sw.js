// The station's service worker. It keeps what the offline page needs, and nothing that is on: playlists, segments, pictures
// and the interface never pass through it. Its version is a sum of all files of the pages, so a browser that holds an older
// one takes the newer; and since whatever can be fetched is fetched, an old copy is never shown while the station is there.
const VERSION = '{{version}}';
const CACHE = `nightcast-${VERSION}`;
const OFFLINE = '/offline';
const SHELL = [
  OFFLINE,
  '/assets/base.css',
  '/assets/failure.css',
  '/assets/offline.js',
  '/assets/icon.svg',
  '/assets/icon-192.png',
  '/vendor/figtree-latin.woff2?v=5.3.0',
];

self.addEventListener('install', (event) => {
  // Browsers that can be told so do not even ask it for what is on.
  const past = ['/channels/*', '/vod/*', '/api/*'].map((pathname) => ({ condition: { urlPattern: { pathname } }, source: 'network' }));
  event.addRoutes?.(past).catch(() => {});
  const fresh = SHELL.map((path) => new Request(path, { cache: 'reload' }));
  event.waitUntil(caches.open(CACHE).then((cache) => cache.addAll(fresh)).then(() => self.skipWaiting()));
});

self.addEventListener('activate', (event) => {
  const old = (name) => name.startsWith('nightcast-') && name !== CACHE;
  const swept = caches.keys().then((names) => Promise.all(names.filter(old).map((name) => caches.delete(name))));
  event.waitUntil(swept.then(() => self.clients.claim()));
});

self.addEventListener('fetch', (event) => {
  const { request } = event;
  const url = new URL(request.url);
  if (request.method !== 'GET' || url.origin !== self.location.origin) return;
  if (request.mode === 'navigate') {
    event.respondWith(fetch(request).catch(() => caches.match(OFFLINE, { cacheName: CACHE })));
  } else if (SHELL.includes(url.pathname + url.search)) {
    event.respondWith(fetch(request).catch(async (error) => (await caches.match(request, { cacheName: CACHE })) ?? Promise.reject(error)));
  }
});

// A reminder was pressed: the channel is shown where the station is open already, or in a window of its own.
self.addEventListener('notificationclick', (event) => {
  event.notification.close();
  const page = event.notification.data?.page ?? '/';
  const show = async () => {
    const [open] = await self.clients.matchAll({ type: 'window', includeUncontrolled: true });
    if (!open) return self.clients.openWindow(page);
    await open.focus();
    return open.navigate(page).catch(() => self.clients.openWindow(page));
  };
  event.waitUntil(show());
});
