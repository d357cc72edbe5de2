//! Boxes of MP4 files: made, put in, and changed.

/// Returns a box.
pub(crate) fn boxed(kind: [u8; 4], content: &[u8]) -> Vec<u8> {
    let size = u32::try_from(content.len() + 8).unwrap();
    [&size.to_be_bytes()[..], &kind, content].concat()
}

/// Overwrites bytes at a distance after the first box of a kind begins its content.
pub(crate) fn set_after(film: &mut [u8], kind: [u8; 4], distance: usize, bytes: &[u8]) {
    let place = film.windows(4).position(|four| *four == kind).expect("the film has such a box");
    film[place + 4 + distance..][..bytes.len()].copy_from_slice(bytes);
}

/// Returns a film with a box put in, in place of the one of its kind, in the box that the path leads to.
pub(crate) fn insert(film: &[u8], path: &[&[u8; 4]], new: &[u8]) -> Vec<u8> {
    let mut out = Vec::new();
    let mut rest = film;
    let mut done = false;
    while rest.len() >= 8 {
        let size = u32::from_be_bytes(rest[..4].try_into().unwrap()) as usize;
        let (whole, after) = rest.split_at(size.clamp(8, rest.len()));
        let kind: [u8; 4] = whole[4..8].try_into().unwrap();
        match path {
            [first, further @ ..] if kind == **first && !done => {
                done = true;
                out.extend(boxed(kind, &insert(&whole[8..], further, new)));
            }
            [] if kind == new[4..8] => {}
            _ => out.extend_from_slice(whole),
        }
        rest = after;
    }
    if path.is_empty() {
        out.extend_from_slice(new);
    }
    out
}
