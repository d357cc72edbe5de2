// Rows for the table in docs/faults.md, as tests/support/faults.rs writes them.
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const target = process.env.CARGO_TARGET_DIR ?? fileURLToPath(new URL('../../../target', import.meta.url));

/** Leaves a row: the fault in a few words, for how long the picture stood still at most, and what was seen. */
export async function tell(fault, stillMs, saw) {
  const folder = join(target, 'tmp', 'faults');
  await mkdir(folder, { recursive: true });
  const name = fault.replace(/[^\p{L}\p{N}]/gu, '-');
  await writeFile(join(folder, name), `| ${fault} | ${(stillMs / 1000).toFixed(1)} s | ${saw} |\n`);
}
