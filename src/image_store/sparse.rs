//! An image as it is written: what it is hashed to, and long runs of zeros left out.

use std::io::{Result, Write};

use aws_lc_rs::digest::{Context, SHA256};

use crate::release::Digest;

/// Runs of zeros of this length become holes.
const SHORTEST_HOLE: u64 = 64 << 10;

/// What a file system can leave out.
const PAGE: usize = 4 << 10;

static ZEROS: [u8; PAGE] = [0; PAGE];

/// Where an image is written to, from its beginning to its end.
pub trait ImageSink: Send {
    /// Appends bytes.
    ///
    /// # Errors
    /// They cannot be written.
    fn append(&mut self, bytes: &[u8]) -> Result<()>;

    /// Appends so many zeros, which need not be stored.
    ///
    /// # Errors
    /// They cannot be left out.
    fn hole(&mut self, length: u64) -> Result<()>;
}

/// Hashes what is written to it, and hands it on to a sink without its long runs of zeros.
pub struct Imprint<'a> {
    sink: &'a mut dyn ImageSink,
    hash: Context,
    /// Zeros that were not handed on yet.
    zeros: u64,
}

impl<'a> Imprint<'a> {
    /// An image of which nothing was written yet.
    pub fn new(sink: &'a mut dyn ImageSink) -> Self {
        Self { sink, hash: Context::new(&SHA256), zeros: 0 }
    }

    /// The sha256 of all that was written.
    ///
    /// # Errors
    /// The last zeros cannot be written.
    pub fn finish(mut self) -> Result<Digest> {
        self.flush_zeros()?;
        Ok(Digest::of_hash(self.hash.finish().as_ref()))
    }

    fn flush_zeros(&mut self) -> Result<()> {
        let mut zeros = std::mem::take(&mut self.zeros);
        if zeros >= SHORTEST_HOLE {
            return self.sink.hole(zeros);
        }
        while zeros > 0 {
            let page = usize::try_from(zeros).map_or(PAGE, |zeros| zeros.min(PAGE));
            self.sink.append(&ZEROS[..page])?;
            zeros -= page as u64;
        }
        Ok(())
    }
}

impl Write for Imprint<'_> {
    fn write(&mut self, bytes: &[u8]) -> Result<usize> {
        self.hash.update(bytes);
        // Pages with something in them that follow each other are handed on together.
        let mut from = 0;
        for (number, page) in bytes.chunks(PAGE).enumerate() {
            let at = number * PAGE;
            if page == &ZEROS[..page.len()] {
                if from < at {
                    self.sink.append(&bytes[from..at])?;
                }
                from = at + page.len();
                self.zeros += page.len() as u64;
            } else if self.zeros > 0 {
                self.flush_zeros()?;
            }
        }
        if from < bytes.len() {
            self.sink.append(&bytes[from..])?;
        }
        Ok(bytes.len())
    }

    fn flush(&mut self) -> Result<()> {
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Default)]
    struct Parts {
        whole: Vec<u8>,
        holes: Vec<(usize, u64)>,
    }

    impl ImageSink for Parts {
        fn append(&mut self, bytes: &[u8]) -> Result<()> {
            self.whole.extend_from_slice(bytes);
            Ok(())
        }

        fn hole(&mut self, length: u64) -> Result<()> {
            self.holes.push((self.whole.len(), length));
            self.whole.resize(self.whole.len() + length as usize, 0);
            Ok(())
        }
    }

    #[test]
    fn long_runs_of_zeros_are_holes_and_nothing_else_changes() {
        let (data, zeros) = (|n: usize| vec![7_u8; n], |n: usize| vec![0_u8; n]);
        for (parts, holes) in [
            (vec![data(10)], vec![]),
            (vec![zeros(64 << 10)], vec![(0, 64 << 10)]),
            (vec![data(4096), zeros(60 << 10), data(5)], vec![]),
            (
                vec![data(4096), zeros(64 << 10), data(5), zeros(200_000)],
                vec![(4096, 64 << 10), (81920, 187_717)],
            ),
            (vec![zeros(3), data(1), zeros(1 << 20), data(1)], vec![(4096, (1 << 20) - 4092 - 4)]),
            (vec![], vec![]),
        ] {
            let bytes = parts.concat();
            for step in [4096, 64 << 10, 256 << 10] {
                let mut sink = Parts::default();
                let mut imprint = Imprint::new(&mut sink);
                bytes.chunks(step).for_each(|chunk| imprint.write_all(chunk).unwrap());
                assert_eq!(imprint.finish().unwrap(), Digest::of(&bytes));
                assert!(sink.whole == bytes, "step {step}");
                assert!(sink.holes.iter().all(|(_, length)| *length >= SHORTEST_HOLE), "{:?}", sink.holes);
                assert_eq!(sink.holes.is_empty(), holes.is_empty(), "{:?}", sink.holes);
                if !holes.is_empty() {
                    let (found, wanted): (u64, u64) = (
                        sink.holes.iter().map(|h| h.1).sum(),
                        holes.iter().map(|h: &(usize, u64)| h.1).sum(),
                    );
                    assert!(found.abs_diff(wanted) < 3 * 4096, "step {step}: {found} of {wanted}");
                }
            }
        }
    }
}
