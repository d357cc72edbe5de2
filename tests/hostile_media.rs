//! Goal: no file does harm, whoever made it. Each becomes a sound mezzanine or is set aside with a reason a person
//! understands; nothing beside the library is opened, nothing is connected to, no limit is passed and nothing hangs.
//! Method: a corpus of damaged films, disguised scripts and known attacks, made from a seed, goes through the real
//! library and the real workshop. A shim notes what their children open; the kernel watches files that nobody may touch.
//!
//! `make hostile FILES=1000 SEED=7` sends more through, with another seed.
#![expect(clippy::unwrap_used, clippy::disallowed_methods, reason = "a test, with files and processes of its own")]
#![expect(clippy::print_stdout, reason = "progress and the table of outcomes are told")]

#[path = "hostile_media/canaries.rs"]
mod canaries;
#[path = "hostile_media/corpus.rs"]
mod corpus;
#[path = "hostile_media/crafted.rs"]
mod crafted;
#[path = "hostile_media/mp4.rs"]
mod mp4;
#[path = "hostile_media/mutate.rs"]
mod mutate;
#[path = "hostile_media/notes.rs"]
mod notes;
#[path = "hostile_media/reasons.rs"]
mod reasons;
#[path = "hostile_media/scripts.rs"]
mod scripts;
#[path = "hostile_media/seeds.rs"]
mod seeds;
#[path = "hostile_media/sound.rs"]
mod sound;
mod support;

use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use jiff::{SignedDuration, Timestamp};
use nightcast::clock::Clock;
use nightcast::config::{EncoderChoice, PrepareMode, Preset, Profile, Style};
use nightcast::ffmpeg::{Children, Family};
use nightcast::library::{Catalogue, LibrarySettings, Refused, start};
use nightcast::prepare::{Mezzanine, MezzanineId, Prepared, Preparer, Settings, Want};
use nightcast::store::Store;
use nightcast::units::ChannelId;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use canaries::Canaries;
use support::bad_files::Address;
use support::shim::shim;

/// How many files `make test` sends through: 66 made to do harm, 20 scripts, and damaged films. A thousand take some minutes.
const FILES: usize = 120;
/// Any other is as good.
const SEED: u64 = 1;
/// How long one file may take on a busy machine, on average; a hang takes minutes.
const PATIENCE_A_FILE: Duration = Duration::from_secs(4);

/// What became of a file.
type Outcome = Result<Arc<Mezzanine>, String>;

fn number(variable: &str, otherwise: u64) -> u64 {
    std::env::var(variable).map_or(otherwise, |text| text.parse().expect("a number"))
}

fn profile() -> Profile {
    Profile {
        width: 160,
        height: 90,
        fps: None,
        quality: 28,
        preset: Preset::Ultrafast,
        video_kbps_max: 2000,
        style: Style::default(),
        audio_kbps: 96,
        loudness_lufs: Some(-23.0),
        prepare: PrepareMode::Auto,
        renditions: Vec::new(),
        // Whatever tracks there are go through libass, or are laid over the picture.
        burn: nightcast::config::Burn { subtitles: Some([].into()), logo: None },
    }
}

/// A folder with everything the test needs, and programs that note what they touch.
struct Ground {
    tree: tempfile::TempDir,
    canaries: Canaries,
    address: Address,
}

impl Ground {
    fn new() -> Self {
        let tree = tempfile::tempdir().unwrap();
        for folder in ["media", "data", "notes", "workshop", "outside"] {
            fs::create_dir(tree.path().join(folder)).unwrap();
        }
        let film = support::clips::make(&tree.path().join("outside"), "film.ts", "-f lavfi -i testsrc2=s=160x90:d=2");
        let canaries = Canaries::new(&tree.path().join("outside"), &fs::read(film).unwrap());
        let ground = Self { tree, canaries, address: Address::new() };
        let library = shim("opens");
        for program in ["ffmpeg", "ffprobe"] {
            let script = format!(
                "#!/bin/sh\nNIGHTCAST_OPENS='{}' LD_PRELOAD='{}' exec {program} \"$@\"\n",
                ground.at("notes").display(),
                library.display()
            );
            fs::write(ground.at(program), script).unwrap();
            fs::set_permissions(ground.at(program), fs::Permissions::from_mode(0o755)).unwrap();
        }
        ground
    }

    fn at(&self, name: &str) -> PathBuf {
        self.tree.path().join(name)
    }

    /// Makes the corpus and returns its files.
    fn corpus(&self, files: usize, seed: u64) -> Vec<PathBuf> {
        let address = self.address.address();
        let port = address.trim_start_matches("http://127.0.0.1:").split('/').next().unwrap();
        corpus::make(&self.at("media"), &self.at("workshop"), self.canaries.film(), port, files, seed)
    }

    /// Sends everything through library and workshop, and returns what became of each file.
    async fn judge(&self, files: usize) -> BTreeMap<PathBuf, Outcome> {
        let (token, tracker) = (CancellationToken::new(), TaskTracker::new());
        let store = Store::in_memory().await.unwrap();
        let channel = ChannelId::new("hostile").unwrap();
        let settings = LibrarySettings {
            channel: channel.clone(),
            folders: vec![self.at("media")],
            exclude: Vec::new(),
            settle: Duration::from_millis(300),
            rescan: Duration::from_hours(1),
            ffprobe: self.at("ffprobe"),
            family: Family::default(),
        };
        let (work, library) = start(settings, store, token.clone());
        tracker.spawn(work);
        let settings = Settings {
            ffmpeg: self.at("ffmpeg"),
            ffprobe: self.at("ffprobe"),
            data: self.at("data"),
            cache_budget_bytes: 4 << 30,
            workers: 2,
            encoder: EncoderChoice::X264,
            devices: "/dev".into(),
            failures: Vec::new(),
            children: Children::default(),
        };
        let preparer = Preparer::start(settings, Clock::new(1.0), token.clone(), &tracker).await.unwrap();
        let outcomes = until_settled(&library.catalogue(), &preparer, &channel, files).await;
        token.cancel();
        tracker.close();
        tokio::time::timeout(Duration::from_secs(20), tracker.wait()).await.expect("it stops");
        outcomes
    }
}

/// Wants every item until each file is judged.
async fn until_settled(
    catalogue: &tokio::sync::watch::Receiver<Arc<Catalogue>>,
    preparer: &Preparer,
    channel: &ChannelId,
    files: usize,
) -> BTreeMap<PathBuf, Outcome> {
    let profile = Arc::new(profile());
    let (mut catalogue, mut changes) = (catalogue.clone(), preparer.subscribe());
    let deadline = Instant::now() + Duration::from_mins(1) + PATIENCE_A_FILE * u32::try_from(files).unwrap();
    let mut told = Instant::now();
    loop {
        let now = Arc::clone(&catalogue.borrow_and_update());
        changes.borrow_and_update();
        let due = Timestamp::now() + SignedDuration::from_mins(10);
        let want = |item| Want { item: Arc::clone(item), profile: Arc::clone(&profile), due };
        preparer.want(channel, now.items.values().map(want).collect());
        let outcomes = outcomes(&now, preparer, &profile);
        if now.complete && outcomes.len() == files {
            return outcomes;
        }
        if told.elapsed() > Duration::from_secs(10) {
            told = Instant::now();
            println!("{} of {files}: {} items, {} refused", outcomes.len(), now.items.len(), now.refused.len());
        }
        let waiting = || now.items.keys().filter(|path| !outcomes.contains_key(*path)).collect::<Vec<_>>();
        assert!(Instant::now() < deadline, "hangs with {} of {files} judged: {:?}", outcomes.len(), waiting());
        let changed = async {
            tokio::select! {
                changed = catalogue.changed() => changed.unwrap(),
                changed = changes.changed() => changed.unwrap(),
            }
        };
        // Looks at the clock also when nothing changes.
        let _nothing_new = tokio::time::timeout(Duration::from_secs(5), changed).await;
    }
}

fn outcomes(catalogue: &Catalogue, preparer: &Preparer, profile: &Profile) -> BTreeMap<PathBuf, Outcome> {
    let refused = catalogue.refused.iter().filter_map(|(path, refused)| match refused {
        Refused::Settling => None,
        Refused::Quarantined(reason) => Some((path.clone(), Err(reason.clone()))),
    });
    let items = catalogue.items.values().filter_map(|item| {
        let id = MezzanineId::of(item, profile);
        match preparer.state(&id) {
            // A kept picture is ready before it was looked through: what is found then is part of the judgement.
            Prepared::Ready(mezzanine) if preparer.is_sound(&id) => Some((item.path.clone(), Ok(mezzanine))),
            Prepared::Failed(reason) => Some((item.path.clone(), Err(reason.to_string()))),
            _ => None,
        }
    });
    refused.chain(items).collect()
}

/// Tells how many files came to which end.
fn tell(outcomes: &BTreeMap<PathBuf, Outcome>) {
    let mut counts: BTreeMap<String, usize> = BTreeMap::new();
    for outcome in outcomes.values() {
        let kind = outcome.as_ref().map_or_else(|reason| reasons::kind(reason), |_| "prepared".to_owned());
        *counts.entry(kind).or_default() += 1;
    }
    for (kind, count) in counts {
        println!("{count:5}  {kind}");
    }
}

/// The most memory this process ever had, in kB.
fn own_memory_kb() -> u64 {
    let status = fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).unwrap();
    line.trim().trim_end_matches(" kB").parse().unwrap()
}

fn count_panics() -> Arc<AtomicUsize> {
    let panics = Arc::new(AtomicUsize::new(0));
    let (counter, usual) = (Arc::clone(&panics), std::panic::take_hook());
    std::panic::set_hook(Box::new(move |info| {
        counter.fetch_add(1, Ordering::SeqCst);
        usual(info);
    }));
    panics
}

#[tokio::test(flavor = "multi_thread")]
async fn whatever_lies_in_a_folder_becomes_a_sound_mezzanine_or_is_set_aside_and_does_no_harm() {
    let files = usize::try_from(number("NIGHTCAST_HOSTILE_FILES", FILES as u64)).unwrap();
    let seed = number("NIGHTCAST_HOSTILE_SEED", SEED);
    let panics = count_panics();
    let ground = Ground::new();
    let corpus = ground.corpus(files, seed);
    let begun = Instant::now();
    let outcomes = ground.judge(corpus.len()).await;
    println!("{} files, seed {seed}: {:.0} s", corpus.len(), begun.elapsed().as_secs_f64());
    tell(&outcomes);
    let missing: Vec<_> = corpus.iter().filter(|path| !outcomes.contains_key(*path)).collect();
    assert!(missing.is_empty() && outcomes.len() == corpus.len(), "{missing:?}");
    assert_eq!(panics.load(Ordering::SeqCst), 0, "something panicked");

    let touched = notes::read(&ground.at("notes"), &ground.at("data"));
    println!("{:?}, most memory in kB: {:?}, own: {}", touched.programs, touched.memory_kb, own_memory_kb());
    println!("all done after {:.0} s", begun.elapsed().as_secs_f64());
    assert_eq!(touched.strayed, Vec::<String>::new());
    assert!(touched.programs["ffprobe"] > corpus.len() / 2 && touched.programs["ffmpeg"] > 0, "the shim works");
    ground.canaries.were_left_alone();
    ground.address.was_left_alone();

    let strange = |(path, outcome): (&PathBuf, &Outcome)| match outcome {
        Err(reason) if !reasons::is_known(reason) => {
            keep(path);
            Some(format!("{}: {reason}", path.display()))
        }
        _ => None,
    };
    let unknown: Vec<_> = outcomes.iter().filter_map(strange).collect();
    let flaws = sound::flaws(&outcomes);
    println!("checked after {:.0} s", begun.elapsed().as_secs_f64());
    let keep = |list: &[String]| list.join("\n");
    assert!(unknown.is_empty() && flaws.is_empty(), "{}\n{}", keep(&unknown), keep(&flaws));
}

/// Keeps a file that did something new, where `NIGHTCAST_HOSTILE_KEEP` names a folder.
fn keep(path: &Path) {
    if let Some(folder) = std::env::var_os("NIGHTCAST_HOSTILE_KEEP") {
        let _kept = fs::copy(path, Path::new(&folder).join(path.file_name().unwrap()));
    }
}
