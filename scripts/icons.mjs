// Usage: node scripts/icons.mjs
// Draws the app's icons anew from web/assets/icon.svg, with the browser of the tests (`make tools`). They are kept in the
// tree, so that building the station needs no browser; run this when the drawing has changed.
import { readFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { startBrowser } from '../tests/browser/support/browser.mjs';

const assets = new URL('../web/assets/', import.meta.url);
const svg = await readFile(new URL('icon.svg', assets), 'utf8');
/** A mask may cut away all but a circle of four fifths: the drawing keeps within, and the ground goes to the edge. */
const ICONS = [
  { file: 'icon-192.png', size: 192, part: 1, ground: 'transparent' },
  { file: 'icon-512.png', size: 512, part: 1, ground: 'transparent' },
  { file: 'icon-maskable-512.png', size: 512, part: 0.82, ground: '#07080b' },
];

const browser = await startBrowser();
try {
  for (const { file, size, part, ground } of ICONS) {
    const page = await browser.newPage({ viewport: { width: size, height: size } });
    const inner = Math.round(size * part);
    await page.setContent(`<style>body{margin:0;width:${size}px;height:${size}px;display:grid;place-items:center;background:${ground}}svg{width:${inner}px;height:${inner}px;display:block}</style>${svg}`);
    await page.screenshot({ path: fileURLToPath(new URL(file, assets)), omitBackground: true });
    await page.close();
  }
} finally {
  await browser.close();
}
