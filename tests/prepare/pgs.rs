//! Writes subtitles that are pictures, as Blu-ray discs have them: white bars on a screen, each for a while.

/// A bar on the screen: what is left of it and above it, its width and height.
pub(crate) type Bar = (u16, u16, u16, u16);

/// Returns a SUP file: a screen of this size, with a bar from one second to another. Then it is empty; or the bar is black, where
/// what becomes of it knows no empty screen.
pub(crate) fn sup(screen: (u16, u16), bar: Bar, (from, to): (f64, f64), blackens: bool) -> Vec<u8> {
    let (x, y, width, height) = bar;
    let composition = |number: u16, objects: &[u8]| {
        let state = if objects.len() > 1 { 0x80 } else { 0 };
        let head = [numbers(&[screen.0, screen.1]), vec![0x10], numbers(&[number]), vec![state, 0, 0]].concat();
        [head, objects.to_vec()].concat()
    };
    let shown = [vec![1, 0, 0, 0, 0], numbers(&[x, y])].concat();
    let window = [vec![1, 0], numbers(&[x, y, width, height])].concat();
    let palette = |luma| vec![0, 0, 1, luma, 128, 128, 255];
    // A row is one run of the first colour, and the end of the row.
    let row = [vec![0], numbers(&[0xc000 | width]), vec![1, 0, 0]].concat();
    let rows = row.repeat(usize::from(height));
    let length = u32::try_from(rows.len() + 4).expect("a small bar").to_be_bytes();
    let object = [vec![0, 0, 0, 0xc0], length[1..].to_vec(), numbers(&[width, height]), rows].concat();
    let bar = |number, luma| {
        let (window, object) = (window.clone(), object.clone());
        vec![(0x16, composition(number, &shown)), (0x17, window), (0x14, palette(luma)), (0x15, object), (0x80, vec![])]
    };
    let empty = |number| vec![(0x16, composition(number, &[0])), (0x17, window.clone()), (0x80, vec![])];
    let ends = if blackens { bar(2, 16) } else { empty(2) };
    // It begins with nothing: programs count from the first that there is.
    [segments(0.0, &empty(0)), segments(from, &bar(1, 235)), segments(to, &ends)].concat()
}

fn segments(at: f64, all: &[(u8, Vec<u8>)]) -> Vec<u8> {
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a few seconds")]
    let time = ((at * 90_000.0) as u32).to_be_bytes();
    let one = |(kind, data): &(u8, Vec<u8>)| {
        let length = u16::try_from(data.len()).expect("a small bar");
        [b"PG".to_vec(), time.to_vec(), vec![0; 4], vec![*kind], numbers(&[length]), data.clone()].concat()
    };
    all.iter().flat_map(one).collect()
}

fn numbers(all: &[u16]) -> Vec<u8> {
    all.iter().flat_map(|number| number.to_be_bytes()).collect()
}
