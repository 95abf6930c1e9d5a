//! Reading files that are files, and not more of them than they may have. A pipe gives nothing until somebody writes to it,
//! and a device may never end.

use std::fs::File;
use std::io::{Error, ErrorKind, Read as _, Result};
use std::path::Path;

/// The bytes of a regular file.
///
/// # Errors
/// Something else, of kind [`ErrorKind::InvalidInput`]; more than `most` bytes, of kind [`ErrorKind::FileTooLarge`].
pub(super) fn read(path: &Path, most: u64) -> Result<Vec<u8>> {
    // Before it is opened: that alone would wait for whoever writes to a pipe.
    let metadata = std::fs::metadata(path)?;
    if !metadata.is_file() {
        return Err(Error::new(ErrorKind::InvalidInput, "not a regular file"));
    }
    let too_large = || Error::new(ErrorKind::FileTooLarge, format!("more than {most} bytes"));
    if metadata.len() > most {
        return Err(too_large());
    }
    let mut bytes = Vec::new();
    match File::open(path)?.take(most + 1).read_to_end(&mut bytes)? as u64 > most {
        true => Err(too_large()),
        false => Ok(bytes),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_regular_files_of_their_size_are_read() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("file");
        std::fs::write(&file, "12345").unwrap();
        assert_eq!(read(&file, 5).unwrap(), b"12345");
        assert_eq!(read(&file, 4).unwrap_err().kind(), ErrorKind::FileTooLarge);
        File::create(&file).unwrap().set_len(10 << 30).unwrap();
        assert_eq!(read(&file, 5).unwrap_err().kind(), ErrorKind::FileTooLarge, "sparse");
        for other in [folder.path(), Path::new("/dev/zero"), Path::new("/dev/null")] {
            assert_eq!(read(other, 5).unwrap_err().kind(), ErrorKind::InvalidInput, "{other:?}");
        }
    }
}
