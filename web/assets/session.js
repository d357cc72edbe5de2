// The keys and the lock screen of the device: what is on, and the way to the next channel.

/** Gives the device's keys `acts` by their names, and returns what tells it title, channel and station. */
export function mediaKeys(acts) {
  const session = navigator.mediaSession;
  if (!session) return () => {};
  for (const [key, act] of Object.entries(acts)) session.setActionHandler(key, act);
  let told = '';
  return (title, artist, album) => {
    const now = JSON.stringify([title, artist, album]);
    if (now !== told) session.metadata = new MediaMetadata({ title, artist, album });
    told = now;
  };
}
