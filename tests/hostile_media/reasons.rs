//! What a reason may look like: sentences of ours with numbers and names in them, and nothing else.

/// Every reason there is; `*` stands for a number, a name, or a few words in quotes.
const REASONS: &[&str] = &[
    "It is empty (0 bytes).",
    "It is a text file, not a video.",
    "It is a playlist, not a video, and what it names is not opened.",
    "It is a \"*\" file, which is not a kind of video that is played here.",
    "It holds a stream in the format \"*\", which is not decoded here.",
    "Its index is missing (no moov atom): the copy was probably cut short.",
    "It ends too early: the copy was probably cut short.",
    "It is not a video, or it is damaged: nothing in it can be read.",
    "It has sound but no picture.",
    "Its only picture is cover art.",
    "Its length is unknown.",
    "It is * s long; the shortest that can air is 1 s.",
    "It claims to be * hours long; the longest that can air is 48 hours.",
    "Its picture of * is too large; the largest that can air is 8192x8192.",
    "Its picture of * is too small; the smallest that can air is 16x16.",
    "It is encrypted.",
    "Looking into it took more time or memory than a file may; it is probably damaged.",
    "It cannot be read; ffprobe says \"*\".",
    "It lasts only * s; the shortest that can air is 1 s.",
    "It claims to last *; the longest that can air is a day.",
    "There is no picture in it.",
    "Only * of its * frames can be decoded.",
    "* frames came out of it instead of *; it changes in the middle.",
    "Its conversion failed the check: *.",
    "Its length cannot be told.",
    "It crashes ffmpeg (signal *).",
    "It cannot be converted; ffmpeg says \"*\".",
    "It took far more computing than its length should.",
    "It became far larger than its length should.",
];

/// Whether a reason is one of the table's.
pub(crate) fn is_known(reason: &str) -> bool {
    REASONS.iter().any(|known| kind_of(known, reason)) && reason.len() < 200 && !reason.chars().any(char::is_control)
}

/// Returns the entry of the table that a reason is, or the reason itself.
pub(crate) fn kind(reason: &str) -> String {
    let known = REASONS.iter().find(|known| kind_of(known, reason));
    known.map_or_else(|| format!("NEW: {reason}"), |known| (*known).to_owned())
}

fn kind_of(known: &str, reason: &str) -> bool {
    let mut parts = known.split('*');
    let first = parts.next().unwrap_or_default();
    let Some(mut rest) = reason.strip_prefix(first) else { return false };
    for part in parts {
        let Some(at) = (if part.is_empty() { Some(rest.len()) } else { rest.find(part) }) else { return false };
        let hole = &rest[..at];
        let plain = |c: char| c.is_ascii_alphanumeric() || " ._,-:#()/'=+".contains(c);
        if hole.is_empty()
            || hole.len() > 160
            || hole.split(' ').any(|word| word.starts_with("0x"))
            || !hole.chars().all(plain)
        {
            return false;
        }
        rest = &rest[at + part.len()..];
    }
    rest.is_empty()
}

#[test]
fn a_reason_is_a_sentence_of_ours_with_a_number_or_a_name_in_it() {
    let table = [
        ("It is 0.10 s long; the shortest that can air is 1 s.", true),
        ("Its picture of 12000x12000 is too large; the largest that can air is 8192x8192.", true),
        ("It cannot be converted; ffmpeg says \"at 0x55d0c8\".", false),
        ("It is a \"png_pipe\" file, which is not a kind of video that is played here.", true),
        ("It is [mov @ 0x55] s long; the shortest that can air is 1 s.", false),
        ("[mov,mp4,m4a @ 0x55d0c8] moov atom not found", false),
        ("thread 'main' panicked at src/a.rs", false),
        ("It is empty (0 bytes). And more.", false),
    ];
    for (reason, known) in table {
        assert_eq!(is_known(reason), known, "{reason}");
    }
}
