//! The command line that makes a clean picture of a logo: a file nobody has checked in, a PNG of our own making out.

use std::ffi::OsString;
use std::path::Path;

use super::burn_args::smaller;
use super::input::file_url;
use super::prepare_args::quiet;

/// The kinds of picture that a logo may be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// Portable Network Graphics.
    Png,
    /// JPEG.
    Jpeg,
    /// WebP.
    Webp,
    /// Scalable Vector Graphics: drawn by a library that not every ffmpeg has.
    Svg,
}

/// How large the clean picture is at the most: a quarter of a 2160p picture's height.
const SIDES_MAX: (u32, u32) = (1152, 540);

impl Kind {
    /// Returns the demuxer and the decoders that alone may open it.
    fn opened_by(self) -> (&'static str, &'static str) {
        match self {
            Self::Png => ("png_pipe", "png"),
            Self::Jpeg => ("jpeg_pipe", "mjpeg"),
            Self::Webp => ("webp_pipe", "webp,vp8"),
            Self::Svg => ("svg_pipe", "librsvg"),
        }
    }
}

/// Returns the ffmpeg command line that reads a logo and writes its first picture, not larger than is ever shown.
#[must_use]
pub fn logo_args(input: &Path, kind: Kind, out: &Path) -> Vec<OsString> {
    let (demuxer, decoders) = kind.opened_by();
    let mut args = quiet();
    args.extend(["-protocol_whitelist", "file", "-format_whitelist", demuxer].map(Into::into));
    args.extend(["-codec_whitelist", decoders].map(Into::into));
    // What is drawn is drawn large enough: its own size may be that of an icon.
    args.extend(if kind == Kind::Svg { vec!["-height".into(), SIDES_MAX.1.to_string().into()] } else { Vec::new() });
    args.extend(["-f", demuxer, "-i"].map(Into::into));
    args.push(file_url(input));
    let (width, height) = SIDES_MAX;
    let fits = format!("scale='min({width},iw)':'min({height},ih)':force_original_aspect_ratio=decrease:flags=bicubic");
    args.extend(["-an", "-sn", "-dn", "-map_metadata", "-1", "-frames:v", "1", "-vf"].map(Into::into));
    args.push(format!("{},format=rgba", smaller(&fits)).into());
    args.extend(["-c:v", "png", "-f", "image2pipe"].map(Into::into));
    args.push(file_url(out));
    args
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_kind_that_its_bytes_tell_may_open_it() {
        for (kind, demuxer) in
            [(Kind::Png, "png_pipe"), (Kind::Jpeg, "jpeg_pipe"), (Kind::Webp, "webp_pipe"), (Kind::Svg, "svg_pipe")]
        {
            let args = logo_args(Path::new("/l/-i 'a'.png"), kind, Path::new("/c/logo.png"));
            let line: Vec<_> = args.iter().map(|arg| arg.to_string_lossy()).collect();
            let after = |option: &str| {
                let place = line.iter().position(|arg| arg == option).unwrap();
                line[place + 1].to_string()
            };
            assert_eq!((after("-format_whitelist"), after("-f")), (demuxer.to_owned(), demuxer.to_owned()));
            assert_eq!(
                (after("-protocol_whitelist"), after("-i")),
                ("file".to_owned(), "file:/l/-i 'a'.png".to_owned())
            );
            assert_eq!(line.iter().filter(|arg| arg.contains("'a'")).count(), 1, "its name is no filter");
        }
    }
}
