//! How fast films are made ready, against the plain ffmpeg command for the same output, in turn.

use std::fs;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, bail};

use super::page::table;
use super::workshop::{self, Need};
use super::{Settings, clips, figures, process};

/// How long one preparation may take.
const PREPARED_MAX: Duration = Duration::from_mins(10);

/// How many pairs are measured at the most, whatever `RUNS` says.
const PAIRS_MAX: usize = 5;

/// What a person would type for the same output: same codec, preset, quality, ceiling and coder, keyframes every 2 s.
const ONE: &str = "-i FILE -c:v libx264 -preset veryfast -crf 23 -maxrate 5000k -bufsize 10000k -g 60 -bf 2 \
    -sc_threshold 0 -c:a aac -aac_coder fast -b:a 160k -ar 48000 -ac 2 -f hls -hls_time 2 -hls_list_size 0 \
    -hls_flags single_file out.m3u8";

/// The same in three sizes from one decoder.
const THREE: &str = "-i FILE -filter_complex [0:v]split=3[a][b][c];[b]scale=854:480[d];[c]scale=640:360[e] \
    -map [a] -map [d] -map [e] -map 0:a -c:v libx264 -preset veryfast -crf 23 -g 60 -bf 2 -sc_threshold 0 \
    -maxrate:v:0 3500k -bufsize:v:0 7000k -maxrate:v:1 1600k -bufsize:v:1 3200k -maxrate:v:2 900k -bufsize:v:2 1800k \
    -c:a aac -aac_coder fast -b:a 160k -ar 48000 -ac 2 -f mpegts out.ts";

/// The picture kept, the sound made anew.
const KEPT: &str = "-i FILE -c:v copy -c:a aac -aac_coder fast -b:a 160k -ar 48000 -ac 2 -f hls -hls_time 2 \
    -hls_list_size 0 -hls_flags single_file out.m3u8";

/// Picture and sound kept.
const COPIED: &str = "-i FILE -c copy -f hls -hls_time 2 -hls_list_size 0 -hls_flags single_file out.m3u8";

/// Lets a film of [`clips::FIT_LONG`] keep its picture.
const LARGE: &str = "[channel.picture]\nsize = \"1920x1080\"";

/// The same, and its sound as it is.
const LARGE_AS_IS: &str = "[channel.picture]\nsize = \"1920x1080\"\n[channel.sound]\nloudness = \"off\"";

/// The renditions of [`THREE`], in the configuration's words.
const RENDITIONS: &str = "renditions = [\"720p\", \"480p\", \"360p\"]";

/// A row of the table.
struct Case {
    words: &'static str,
    film: clips::Kind,
    settings: &'static str,
    need: Need,
    plain: &'static str,
}

const CASES: [Case; 6] = [
    Case { words: "transcode, one picture", film: clips::LONG_GOPS, settings: "", need: Need::InTime, plain: ONE },
    Case {
        words: "transcode, three renditions (720p, 480p, 360p)",
        film: clips::LONG_GOPS,
        settings: RENDITIONS,
        need: Need::InTime,
        plain: THREE,
    },
    Case {
        words: "picture and sound kept (loudness off): ready",
        film: clips::FIT_LONG,
        settings: LARGE_AS_IS,
        need: Need::InTime,
        plain: COPIED,
    },
    Case {
        words: "picture kept, sound levelled: ready",
        film: clips::FIT_LONG,
        settings: LARGE,
        need: Need::InTime,
        plain: KEPT,
    },
    Case {
        words: "the same, and looked through to its end, for which nobody waits",
        film: clips::FIT_LONG,
        settings: LARGE,
        need: Need::Sound,
        plain: KEPT,
    },
    Case {
        words: "the same while a viewer waits: levelled while going along",
        film: clips::FIT_LONG,
        settings: LARGE,
        need: Need::Now,
        plain: KEPT,
    },
];

/// Wall and CPU time of one run.
type Took = (Duration, Duration);

/// Measures all cases.
pub(crate) fn measure(settings: &Settings) -> Result<String> {
    let pairs = settings.runs.clamp(1, PAIRS_MAX);
    let mut rows = Vec::new();
    for case in &CASES {
        let media = clips::folder(&settings.clips, case.film)?;
        let film = clips::first(&settings.clips, case.film)?;
        let (mut ours, mut plain) = (Vec::new(), Vec::new());
        for pair in 0..pairs {
            // Who comes first alternates: what one leaves in memory helps both.
            if pair % 2 == 0 {
                ours.push(by_the_workshop(&media, case)?);
                plain.push(by_plain_ffmpeg(&film, case.plain)?);
            } else {
                plain.push(by_plain_ffmpeg(&film, case.plain)?);
                ours.push(by_the_workshop(&media, case)?);
            }
            let told = |took: Option<&Took>| {
                took.map_or_else(String::new, |(wall, cpu)| format!("{wall:.2?} (CPU {cpu:.2?})"))
            };
            let (own, other) = (told(ours.last()), told(plain.last()));
            eprintln!("bench: {}, pair {} of {pairs}: {own}, plain {other}", case.words, pair + 1);
        }
        rows.push(row(case, &ours, &plain)?);
    }
    let head = ["What", "Took", "× real time", "plain ffmpeg", "× real time", "Speed", "CPU time", "plain", "Ratio"];
    Ok(format!(
        "From a folder that is looked at for the first time to a mezzanine that may air: found, probed, looked through, \
         measured for its loudness, made, checked packet by packet, summed. Against ffmpeg alone at the same priority, which \
         does none of this but make it; in turn, {pairs} pairs. Medians; `Speed` and `Ratio` are medians of the pairs' ratios: \
         speed above 1 is faster than plain ffmpeg. Transcoded: {} s of {}. Kept: {} s of {}.\n\n{}\nPlain ffmpeg:\n\n\
         - one picture: `ffmpeg {ONE}`\n- three: `ffmpeg {THREE}`\n- picture kept: `ffmpeg {KEPT}`\n- both \
         kept: `ffmpeg {COPIED}`\n\nThe picture of no film is decoded twice: the loudness is measured from the sound alone, \
         while the film is looked through. A kept picture is ready when its packets were checked, and its first half \
         second and its last GOP decoded; all of it is decoded after that, once, when nobody waits for a worker. Sound \
         that is ours already, and as loud as it is to be, is copied; otherwise the AAC encoder, which takes one core, sets \
         the pace. Where a viewer waits, sound is levelled while going along, which takes more than measuring first, but \
         its first segment airs at once.\n",
        clips::LONG_GOPS.seconds(),
        clips::LONG_GOPS.words,
        clips::FIT_LONG.seconds(),
        clips::FIT_LONG.words,
        table(&head, &rows)
    ))
}

fn row(case: &Case, ours: &[Took], plain: &[Took]) -> Result<Vec<String>> {
    let median = |took: &[Took], which: fn(&Took) -> Duration| {
        let all: Vec<Duration> = took.iter().map(which).collect();
        Ok::<_, anyhow::Error>(figures::spread(&all).context("nothing was measured")?.median.as_secs_f64())
    };
    let ratio = |which: fn(&Took) -> Duration| {
        let of = |(a, b): (&Took, &Took)| which(a).as_secs_f64() / which(b).as_secs_f64().max(0.001);
        let mut all: Vec<f64> = ours.iter().zip(plain).map(of).collect();
        all.sort_by(f64::total_cmp);
        let half = all.len() / 2;
        if all.len() % 2 == 1 { all[half] } else { f64::midpoint(all[half - 1], all[half]) }
    };
    let wall: fn(&Took) -> Duration = |took| took.0;
    let cpu: fn(&Took) -> Duration = |took| took.1;
    let length = f64::from(case.film.seconds());
    let (own, other) = (median(ours, wall)?, median(plain, wall)?);
    Ok(vec![
        case.words.to_owned(),
        format!("{own:.2} s"),
        format!("{:.1}", length / own.max(0.001)),
        format!("{other:.2} s"),
        format!("{:.1}", length / other.max(0.001)),
        format!("**{:.2}**", 1.0 / ratio(wall).max(0.001)),
        format!("{:.1} s", median(ours, cpu)?),
        format!("{:.1} s", median(plain, cpu)?),
        format!("{:.2}", ratio(cpu)),
    ])
}

fn by_the_workshop(media: &Path, case: &Case) -> Result<Took> {
    let before = process::cpu(std::process::id())?.ended_children;
    let took = workshop::prepare(media, case.settings, case.need, PREPARED_MAX)?;
    Ok((took, process::cpu(std::process::id())?.ended_children.saturating_sub(before)))
}

fn by_plain_ffmpeg(film: &Path, plain: &str) -> Result<Took> {
    let folder = tempfile::tempdir()?;
    let mut command = Command::new("nice");
    command.args(["-n", "15", "ffmpeg", "-hide_banner", "-nostdin", "-v", "error", "-y"]);
    command.current_dir(folder.path()).stdin(Stdio::null());
    for word in plain.split_whitespace() {
        if word == "FILE" {
            command.arg(fs::canonicalize(film)?)
        } else {
            command.arg(word)
        };
    }
    let before = process::cpu(std::process::id())?.ended_children;
    let begun = Instant::now();
    let mut child = command.spawn().context("ffmpeg could not be started")?;
    let ended = process::wait_until(&mut child, begun + PREPARED_MAX)?;
    let took = begun.elapsed();
    if !ended.is_some_and(|status| status.success()) {
        let _gone = child.kill();
        let _gone = child.wait();
        bail!("plain ffmpeg failed");
    }
    Ok((took, process::cpu(std::process::id())?.ended_children.saturating_sub(before)))
}
