// Whether anybody looks at the page: one that nobody looks at asks for nothing and draws nothing.

/** Returns whether the page is out of sight, or whoever watched has fallen asleep. */
export function nobodyLooks() {
  return document.hidden || document.body.classList.contains('asleep');
}
