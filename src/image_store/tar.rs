//! An archive that holds one file, read as it comes in.
//!
//! The formats of headers are those of the `tar` crate; its reader of archives is not used, because it keeps what stands in
//! front of a file (long names, pax records) in memory, however much that is.

use std::io::{BufRead, Error, ErrorKind, Read, Take};

use ::tar::{EntryType, Header, PaxExtensions};

use super::UnacceptableImage as Unacceptable;
use super::stop::Stop;

/// What an archive is made of.
pub(super) const BLOCK: usize = 512;

/// The most bytes beside the file: names, folders, and the end, which tar fills up to 10 KiB.
const MOST_BESIDE: u64 = 1 << 20;

/// The longest part of a name that is shown.
const SHOWN: usize = 100;

/// An archive, read up to some place.
pub(super) struct Archive<R> {
    from: R,
    /// Bytes that were read beside the file.
    beside: u64,
}

/// A file of an archive, of which the header was read.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct ArchivedFile {
    pub(super) name: String,
    pub(super) size: u64,
}

/// What stands in front of an entry and is about it.
#[derive(Default)]
struct Announced {
    name: Option<Vec<u8>>,
    size: Option<u64>,
}

/// Whether bytes begin as an archive does: with the header of an entry.
pub(super) fn is_header(block: &[u8]) -> bool {
    block.len() == BLOCK && block[257..262] == *b"ustar" && has_right_sum(block)
}

/// The sum of all bytes, in which the field of the sum counts as blanks (POSIX.1-2024, pax, "ustar Interchange Format").
fn has_right_sum(block: &[u8]) -> bool {
    const FIELD: std::ops::Range<usize> = 148..156;
    let number = |(at, byte): (usize, &u8)| u32::from(if FIELD.contains(&at) { b' ' } else { *byte });
    let sum: u32 = block.iter().enumerate().map(number).sum();
    Header::from_byte_slice(block).cksum().is_ok_and(|written| written == sum)
}

impl<R: BufRead> Archive<R> {
    pub(super) fn new(from: R) -> Self {
        Self { from, beside: 0 }
    }

    /// The next regular file, of which the content comes next; none at the end of the archive.
    pub(super) fn next_file(&mut self) -> Result<Option<ArchivedFile>, Stop> {
        let mut announced = Announced::default();
        while let Some(block) = self.header()? {
            let header = Header::from_byte_slice(&block);
            let size = header.entry_size().map_err(|error| broken(&error))?;
            let kind = match header.entry_type() {
                EntryType::XHeader => {
                    announced.read(&self.beside(size)?)?;
                    continue;
                }
                EntryType::GNULongName => {
                    announced.name = Some(self.beside(size)?);
                    continue;
                }
                EntryType::XGlobalHeader | EntryType::GNULongLink => {
                    self.beside(size)?;
                    continue;
                }
                EntryType::Directory => "a folder",
                EntryType::Regular | EntryType::Continuous => "a file",
                EntryType::Link | EntryType::Symlink => "a link",
                EntryType::Char | EntryType::Block => "a device",
                EntryType::Fifo => "a pipe",
                EntryType::GNUSparse => "a sparse file of GNU tar",
                _ => "something else",
            };
            let Announced { name, size: announced_size } = std::mem::take(&mut announced);
            let name = name.unwrap_or_else(|| header.path_bytes().into_owned());
            let (name, size) = (shown(&name)?, announced_size.unwrap_or(size));
            match kind {
                "a folder" => drop(self.beside(size)?),
                "a file" => return Ok(Some(ArchivedFile { name, size })),
                kind => return Err(Unacceptable::NotAFile { kind, name }.into()),
            }
        }
        Ok(None)
    }

    /// The content of a file whose header was just read.
    pub(super) fn content(&mut self, file: &ArchivedFile) -> Take<&mut R> {
        (&mut self.from).take(file.size)
    }

    /// Goes to the end of a file of which `left` bytes were not read: to the next header.
    pub(super) fn leave(&mut self, file: &ArchivedFile, left: u64) -> Result<(), Stop> {
        if left > 0 {
            return Err(Unacceptable::BrokenArchive(format!("it ends {left} bytes before its file")).into());
        }
        self.skip(padding(file.size))
    }

    /// Reads what is left, which has no meaning.
    pub(super) fn finish(mut self) -> Result<(), Stop> {
        loop {
            let bytes = self.from.fill_buf()?.len();
            if bytes == 0 {
                return Ok(());
            }
            self.from.consume(bytes);
            self.count(bytes as u64)?;
        }
    }

    /// The next header; none at the end.
    fn header(&mut self) -> Result<Option<[u8; BLOCK]>, Stop> {
        let mut block = [0; BLOCK];
        let mut filled = 0;
        while filled < BLOCK {
            match self.from.read(&mut block[filled..])? {
                0 if filled == 0 => return Ok(None),
                0 => return Err(Error::from(ErrorKind::UnexpectedEof).into()),
                read => filled += read,
            }
        }
        self.count(BLOCK as u64)?;
        if block.iter().all(|byte| *byte == 0) {
            return Ok(None);
        }
        match has_right_sum(&block) {
            true => Ok(Some(block)),
            false => Err(Unacceptable::BrokenArchive("the checksum of a header is wrong".to_owned()).into()),
        }
    }

    /// The content of an entry that is not a file.
    fn beside(&mut self, size: u64) -> Result<Vec<u8>, Stop> {
        self.count(size.saturating_add(padding(size)))?;
        let mut content = Vec::new();
        (&mut self.from).take(size).read_to_end(&mut content)?;
        match content.len() as u64 == size {
            true => self.skip(padding(size)).map(|()| content),
            false => Err(Error::from(ErrorKind::UnexpectedEof).into()),
        }
    }

    /// Some archives end without what fills up their last block.
    fn skip(&mut self, bytes: u64) -> Result<(), Stop> {
        Ok(std::io::copy(&mut (&mut self.from).take(bytes), &mut std::io::sink()).map(drop)?)
    }

    fn count(&mut self, bytes: u64) -> Result<(), Stop> {
        self.beside = self.beside.saturating_add(bytes);
        match self.beside > MOST_BESIDE {
            true => Err(Unacceptable::Padding(MOST_BESIDE).into()),
            false => Ok(()),
        }
    }
}

impl Announced {
    /// Pax records: Go writes the size of a file of more than 8 GiB into one.
    fn read(&mut self, records: &[u8]) -> Result<(), Stop> {
        for record in PaxExtensions::new(records) {
            let record = record.map_err(|error| broken(&error))?;
            match record.key_bytes() {
                b"path" => self.name = Some(record.value_bytes().to_vec()),
                b"size" => {
                    let size = record.value().ok().and_then(|text| text.parse().ok());
                    let wrong = || Unacceptable::BrokenArchive("a size is not a number".to_owned());
                    self.size = Some(size.ok_or_else(wrong)?);
                }
                _ => {}
            }
        }
        Ok(())
    }
}

/// What fills up the last block.
fn padding(size: u64) -> u64 {
    size.next_multiple_of(BLOCK as u64) - size
}

/// The name of an entry, which may not lead out of a folder.
fn shown(name: &[u8]) -> Result<String, Stop> {
    let name = name.split(|byte| *byte == 0).next().unwrap_or_default();
    let text: String = String::from_utf8_lossy(name).chars().take(SHOWN).collect();
    let leads_elsewhere =
        name.starts_with(b"/") || name.split(|byte| *byte == b'/').any(|part| part == b"..");
    match leads_elsewhere {
        true => Err(Unacceptable::LeadsElsewhere(text).into()),
        false => Ok(text),
    }
}

fn broken(error: &Error) -> Stop {
    Unacceptable::BrokenArchive(error.to_string()).into()
}
