// How hls.js is set up.

/** Segments are 2 s and the window 18 to 24 s. In the worst case a new segment shows 5 s after the one before: 2 s of
 *  segment, 2 s until the next poll, 1 s of cache. 7 s leaves two for its download. The *Count settings would count
 *  in target durations (6 s each) and put the viewer at the far end of the window. */
export const LIVE_SYNC_S = 7;
/** Further behind than this, jump: what lies beyond is about to leave the window. */
export const LIVE_LATENCY_MAX_S = 15;

export const SETTINGS = {
  liveSyncDuration: LIVE_SYNC_S,
  liveMaxLatencyDuration: LIVE_LATENCY_MAX_S,
  // The rate is ours: see together.js.
  maxLiveSyncPlaybackRate: 1,
  liveDurationInfinity: true,
  lowLatencyMode: false,
  startFragPrefetch: true,
  backBufferLength: 20,
  maxBufferLength: 20,
  maxBufferSize: 60e6,
  capLevelToPlayerSize: true,
  enableWorker: true,
  // Cues for programmes would be a text track from a `data:` address, which the page's policy refuses; the guide tells more.
  enableDateRangeMetadataCues: false,
  // Nothing is put between what airs, and as it attaches the picture this one begins all loading anew: what was fetched by
  // then is thrown away, and asked for again up to 0.2 s later.
  interstitialsController: undefined,
};

/** Who has gone back is as far behind as they like. */
export const PAST_SETTINGS = { ...SETTINGS, liveMaxLatencyDuration: Infinity };
