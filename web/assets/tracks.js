// The subtitles a channel is offered with, and which of them a viewer's choice means. Pure.

/** Returns the subtitles that hls.js knows: { name, language }. */
export function tracksOf(hls) {
  return (hls?.subtitleTracks ?? []).map(({ name, lang }) => ({ name: name || lang || '', language: lang || name || '' }));
}

/** Returns which of them is meant by a language, -1 for none: the one of that language, else of its first part, since who
 *  reads `en-GB` reads `en`. */
export function spoken(tracks, language) {
  if (!language) return -1;
  const exact = tracks.findIndex((track) => track.language === language);
  const kin = (code) => code.toLowerCase().split('-')[0];
  return exact >= 0 ? exact : tracks.findIndex((track) => kin(track.language) === kin(language));
}
