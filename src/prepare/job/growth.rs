//! A mezzanine's GOPs as they come: each is looked at before it may air. Pure.

use crate::prepare::annexb::{self, Head};
use crate::prepare::mezzanine::Gop;
use crate::prepare::recipe::GOP_MAX;
use crate::prepare::verify::{self, Flaw};
use crate::units::MediaTime;

/// How many bytes of a later GOP are looked at: tables, parameter sets, x264's note and the first slice's header.
const LATER_HEAD_LEN: usize = 16 * 1024;

/// The GOPs of one file that were looked at.
#[derive(Clone, Debug, Default)]
pub struct Grown {
    /// How many pictures each GOP has.
    pictures: usize,
    gops: Vec<Gop>,
    head: Option<Head>,
    signature: String,
}

impl Grown {
    /// Returns none of a file's GOPs, of which each has so many pictures side by side.
    #[must_use]
    pub fn of(pictures: usize) -> Self {
        Self { pictures, ..Self::default() }
    }

    /// Takes the index as it stands and looks at the GOPs that are new, `read` giving up to so many bytes at an offset.
    ///
    /// # Errors
    /// [`Flaw`] when a GOP may not air, or the reading's own error.
    pub fn take<E: From<Flaw>>(
        &mut self,
        index: &[Gop],
        mut read: impl FnMut(u64, usize) -> Result<Vec<u8>, E>,
    ) -> Result<(), E> {
        for gop in index.iter().skip(self.gops.len()) {
            if gop.duration > GOP_MAX {
                return Err(Flaw::Gop(gop.duration).into());
            }
            // The second picture stands behind all of the first one's keyframe.
            let is_long = self.head.is_none() || self.pictures > 1;
            let look = if is_long { annexb::HEAD_LEN } else { LATER_HEAD_LEN };
            let bytes = read(gop.offset, look.min(gop.len as usize))?;
            let head = annexb::head(&bytes, self.pictures).map_err(Flaw::from)?;
            match &self.head {
                Some(first) => verify::same_parameters(first, &head)?,
                None if head.adts.is_empty() => return Err(Flaw::Streams.into()),
                None => {
                    self.signature = annexb::signature(&head);
                    self.head = Some(head);
                }
            }
            self.gops.push(*gop);
        }
        Ok(())
    }

    /// Returns the GOPs that were looked at.
    #[must_use]
    pub fn gops(&self) -> &[Gop] {
        &self.gops
    }

    /// Returns how many pictures each GOP has.
    #[must_use]
    pub fn pictures(&self) -> usize {
        self.pictures
    }

    /// Returns the signature; empty before the first GOP.
    #[must_use]
    pub fn signature(&self) -> &str {
        &self.signature
    }

    /// Returns how long the tables at the head of the file are, in bytes.
    #[must_use]
    pub fn tables_len(&self) -> u32 {
        self.head.as_ref().map_or(0, |head| head.tables_len)
    }

    /// Returns how long the GOPs play.
    #[must_use]
    pub fn duration(&self) -> MediaTime {
        self.gops.iter().map(|gop| gop.duration).sum()
    }
}
