// A real station of which one may make a newer version.
import { createServer, request } from 'node:http';

/** Stands before a station and hands everything on; its service worker is of another version from `renew` on, as after an
 *  update of the program: { url, renew(), close() }. */
export async function renewable(station) {
  let version = null;
  const relay = createServer((asked, answer) => {
    const handOn = (theirs) => {
      if (asked.url !== '/sw.js' || !version) return void theirs.pipe(answer.writeHead(theirs.statusCode, theirs.headers));
      theirs.setEncoding('utf8').toArray().then((parts) => {
        const { 'content-type': type, 'cache-control': cache } = theirs.headers;
        answer.writeHead(200, { 'content-type': type, 'cache-control': cache });
        answer.end(parts.join('').replace(/const VERSION = '[^']*'/, `const VERSION = '${version}'`));
      });
    };
    // Whole, for its text is changed.
    const headers = asked.url === '/sw.js' ? { host: asked.headers.host } : asked.headers;
    const forward = request(new URL(asked.url, station.url), { method: asked.method, headers }, handOn);
    forward.on('error', () => answer.destroy());
    asked.pipe(forward);
  });
  await new Promise((resolve) => relay.listen(0, '127.0.0.1', resolve));
  return {
    url: `http://127.0.0.1:${relay.address().port}`,
    renew: () => (version = 'newer'),
    close: () => new Promise((resolve) => relay.close(resolve).closeAllConnections()),
  };
}
