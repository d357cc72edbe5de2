// What this device remembers of a viewer's wishes.

/** Returns what was kept under a name, an empty object where nothing is. */
export function kept(name) {
  try {
    return JSON.parse(localStorage.getItem(`nightcast.${name}`)) ?? {};
  } catch {
    return {};
  }
}

/** Keeps something under a name. */
export function keep(name, what) {
  try {
    localStorage.setItem(`nightcast.${name}`, JSON.stringify(what));
  } catch {
    // Private windows may refuse; the wish then holds for this page, which is what such a window is for.
  }
}
