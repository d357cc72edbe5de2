// Where the picture is shown: in the window, over the whole screen, in a small window of its own, on another set.
import { strings } from './strings.js';

const root = document.documentElement;

export class Screens {
  #video;
  #player;
  #ui;
  /** Never played here: it names the channel to sets that fetch it themselves, which they cannot from the page's player. */
  #far = document.createElement('video');

  constructor(video, player, ui) {
    this.#video = video;
    this.#player = player;
    this.#ui = ui;
    ui.full.addEventListener('click', () => this.full());
    ui.pip.addEventListener('click', () => this.small());
    ui.cast.addEventListener('click', () => this.cast());
    document.addEventListener('fullscreenchange', () => this.#show());
    for (const event of ['enterpictureinpicture', 'leavepictureinpicture']) video.addEventListener(event, () => this.#show());
    ui.pip.hidden = !(document.pictureInPictureEnabled || video.webkitSupportsPresentationMode?.('picture-in-picture'));
    this.#listen();
    this.#show();
  }

  /** Names the channel to other sets. */
  tune(url) {
    if (this.#ui.cast.dataset.able) this.#far.src = url;
  }

  async full() {
    if (document.fullscreenElement) return document.exitFullscreen();
    // Phones of one maker know it for the video element only.
    if (root.requestFullscreen) return root.requestFullscreen({ navigationUI: 'hide' }).catch(() => {});
    return this.#video.webkitEnterFullscreen?.();
  }

  async small() {
    const video = this.#video;
    if (this.#ui.pip.hidden) return;
    if (document.pictureInPictureElement) return document.exitPictureInPicture();
    // It refuses without a picture, or without a gesture; there is nothing to be done about it.
    if (document.pictureInPictureEnabled) return video.requestPictureInPicture().catch(() => {});
    const small = video.webkitPresentationMode === 'picture-in-picture';
    return video.webkitSetPresentationMode(small ? 'inline' : 'picture-in-picture');
  }

  async cast() {
    const far = this.#far;
    if (far.webkitShowPlaybackTargetPicker) return far.webkitShowPlaybackTargetPicker();
    await far.remote.prompt().catch(() => {});
  }

  /** The button is there while there is a set to show the picture on. */
  #listen() {
    const [far, { cast }] = [this.#far, this.#ui];
    far.preload = 'none';
    const able = far.remote?.watchAvailability || far.webkitShowPlaybackTargetPicker;
    if (!able) return;
    cast.dataset.able = 'true';
    const found = (any) => (cast.hidden = !any);
    far.addEventListener('webkitplaybacktargetavailabilitychanged', ({ availability }) => found(availability === 'available'));
    far.addEventListener('webkitcurrentplaybacktargetiswirelesschanged', () => this.#goes(far.webkitCurrentPlaybackTargetIsWireless));
    if (!far.remote?.watchAvailability) return;
    far.remote.watchAvailability(found).catch(() => found(false));
    far.remote.addEventListener('connect', () => this.#goes(true));
    far.remote.addEventListener('disconnect', () => this.#goes(false));
  }

  /** The picture goes to the other set, or comes back. */
  #goes(away) {
    this.#ui.cast.classList.toggle('lit', away);
    this.#ui.told(away ? strings.screens.away : '');
    if (away) {
      this.#player.pause();
      this.#far.play()?.catch(() => {});
    } else {
      this.#far.pause();
      this.#player.resume();
    }
  }

  #show() {
    const full = Boolean(document.fullscreenElement);
    const small = Boolean(document.pictureInPictureElement);
    const { full: fullButton, pip, cast } = this.#ui;
    pip.classList.toggle('lit', small);
    const names = [[fullButton, full ? strings.leaveFull : strings.full], [pip, small ? strings.screens.leaveSmall : strings.screens.small], [cast, strings.screens.cast]];
    for (const [button, name] of names) {
      button.title = name;
      button.setAttribute('aria-label', name);
    }
  }
}
