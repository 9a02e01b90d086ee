//! The file under a journal: frames with checksums, appended and synced one at a time.
//!
//! ```text
//! file  = magic, frame*
//! frame = mark: 4 bytes, length: u32 LE, CRC-32 of the payload: u32 LE, payload
//! ```
//!
//! Since a frame is durable before the next one is begun, only the last one can be torn by a
//! crash: a bad frame at the end is what a power cut leaves and is dropped, a bad frame with
//! a good one behind it is damage and is not passed over. The mark is how a good one is found
//! there, wherever it begins.

use std::fs::{File, OpenOptions};
use std::io::{self, BufReader, Read, Seek as _, SeekFrom, Write as _};
use std::path::{Path, PathBuf};

pub(super) const MAGIC: &[u8; 8] = b"fgjrnl1\n";
const MARK: [u8; 4] = *b"\xf5FGj";
pub(super) const HEAD_BYTES: usize = 12;
/// A page of profiles takes about a megabyte; a length beyond this is noise.
const PAYLOAD_BYTES_MAX: usize = 64 << 20;
/// How far behind a bad frame a good one is looked for: beyond the longest that it can be.
const SEARCH_BYTES_MAX: u64 = PAYLOAD_BYTES_MAX as u64 + 1024;
/// Disk space is asked for in pieces of this size, ahead of what is written.
const RESERVE_BYTES: u64 = 4 << 20;

/// A journal's file, open for appending.
#[derive(Debug)]
pub(super) struct Frames {
    file: File,
    path: PathBuf,
    /// Where the next frame goes.
    end: u64,
    /// Up to where the disk has promised space.
    reserved: u64,
    /// A write has failed: what the file holds beyond `end` is not known.
    broken: bool,
}

impl Frames {
    /// Begins a file that must not be there yet.
    pub(super) fn create(path: &Path) -> io::Result<Self> {
        let mut file = OpenOptions::new().write(true).create_new(true).open(path)?;
        file.write_all(MAGIC)?;
        file.sync_all()?;
        let end = MAGIC.len() as u64;
        Ok(Self { file, path: path.to_owned(), end, reserved: end, broken: false })
    }

    /// Goes on with a file whose good part ends at `end`; what is behind it is cut off.
    pub(super) fn resume(path: &Path, end: u64) -> io::Result<Self> {
        let mut file = OpenOptions::new().write(true).open(path)?;
        if file.metadata()?.len() > end {
            file.set_len(end)?;
            file.sync_all()?;
        }
        file.seek(SeekFrom::Start(end))?;
        Ok(Self { file, path: path.to_owned(), end, reserved: end, broken: false })
    }

    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    /// Makes sure that frames of so many bytes in all will find room on the disk.
    pub(super) fn reserve(&mut self, bytes: u64) -> io::Result<()> {
        let needed = self.end + bytes;
        if needed <= self.reserved {
            return Ok(());
        }
        let ahead = needed + RESERVE_BYTES;
        // Where there is no room to be generous, what is needed will do.
        self.reserved = match allocate(&self.file, self.end, ahead - self.end) {
            Ok(()) => ahead,
            Err(_) => allocate(&self.file, self.end, bytes).map(|()| needed)?,
        };
        Ok(())
    }

    /// Appends a frame; it is durable when this returns.
    ///
    /// # Errors
    /// If the disk refuses. Then the file is as it was, as far as the disk lets us, and takes
    /// no more frames.
    pub(super) fn append(&mut self, payload: &[u8]) -> io::Result<()> {
        if self.broken {
            return Err(io::Error::other("an earlier write to it has failed"));
        }
        let frame = frame(payload)?;
        let written = self.file.write_all(&frame).and_then(|()| self.file.sync_data());
        if let Err(error) = written {
            self.broken = true;
            let _ = self.file.set_len(self.end);
            return Err(error);
        }
        self.end += frame.len() as u64;
        Ok(())
    }
}

/// A payload with its length and its checksum before it.
pub(super) fn frame(payload: &[u8]) -> io::Result<Vec<u8>> {
    let length = u32::try_from(payload.len()).ok().filter(|_| payload.len() <= PAYLOAD_BYTES_MAX);
    let length = length.ok_or_else(|| io::Error::other("the record is too long"))?;
    let mut frame = Vec::with_capacity(HEAD_BYTES + payload.len());
    frame.extend_from_slice(&MARK);
    frame.extend_from_slice(&length.to_le_bytes());
    frame.extend_from_slice(&crc32fast::hash(payload).to_le_bytes());
    frame.extend_from_slice(payload);
    Ok(frame)
}

/// Space is promised without changing the file's length, so that its end stays its end.
#[cfg(target_os = "linux")]
fn allocate(file: &File, offset: u64, bytes: u64) -> io::Result<()> {
    use rustix::fs::{FallocateFlags, fallocate};
    use rustix::io::Errno;
    match fallocate(file, FallocateFlags::KEEP_SIZE, offset, bytes) {
        // A file system that cannot promise anything.
        Err(Errno::OPNOTSUPP | Errno::NOSYS | Errno::INVAL) => Ok(()),
        done => Ok(done?),
    }
}

#[cfg(not(target_os = "linux"))]
fn allocate(_: &File, _: u64, _: u64) -> io::Result<()> {
    Ok(())
}

/// What reading a file came to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Extent {
    /// Where its good part ends.
    pub(super) end: u64,
    /// Bytes behind that, left by a crash.
    pub(super) torn: u64,
}

/// Why a file cannot be read.
#[derive(Debug, thiserror::Error)]
pub(super) enum Unreadable {
    #[error("it is not a journal")]
    Foreign,
    #[error("the record at byte {0} is damaged, and there are good ones behind it")]
    Damaged(u64),
    #[error(transparent)]
    Io(#[from] io::Error),
}

/// Hands the payload of every good frame to `each`, in order.
pub(super) fn read<E: From<Unreadable>>(
    path: &Path,
    each: impl FnMut(&[u8]) -> Result<(), E>,
) -> Result<Extent, E> {
    let file = File::open(path).map_err(Unreadable::from)?;
    let length = file.metadata().map_err(Unreadable::from)?.len();
    read_from(BufReader::with_capacity(1 << 18, file), length, each)
}

/// The same for anything that holds so many bytes.
pub(super) fn read_from<E: From<Unreadable>>(
    mut from: impl Read + io::Seek,
    length: u64,
    mut each: impl FnMut(&[u8]) -> Result<(), E>,
) -> Result<Extent, E> {
    let mut magic = [0; MAGIC.len()];
    let head = usize::try_from(length).unwrap_or(usize::MAX).min(MAGIC.len());
    from.read_exact(&mut magic[..head]).map_err(Unreadable::from)?;
    if magic[..head] != MAGIC[..head] {
        return Err(Unreadable::Foreign.into());
    }
    if head < MAGIC.len() {
        return Ok(Extent { end: 0, torn: length });
    }
    let (mut at, mut payload) = (MAGIC.len() as u64, Vec::new());
    while at < length {
        if !next(&mut from, length - at, &mut payload).map_err(Unreadable::from)? {
            if has_good_frame(&mut from, at + 1, length).map_err(Unreadable::from)? {
                return Err(Unreadable::Damaged(at).into());
            }
            return Ok(Extent { end: at, torn: length - at });
        }
        each(&payload)?;
        at += (HEAD_BYTES + payload.len()) as u64;
    }
    Ok(Extent { end: at, torn: 0 })
}

/// Reads a frame of at most `left` bytes; `false` if there is no good one.
fn next(from: &mut impl Read, left: u64, payload: &mut Vec<u8>) -> io::Result<bool> {
    let mut head = [0; HEAD_BYTES];
    if left < HEAD_BYTES as u64 {
        return Ok(false);
    }
    from.read_exact(&mut head)?;
    let Some((length, checksum)) = plausible(&head, left) else { return Ok(false) };
    payload.resize(length, 0);
    from.read_exact(payload)?;
    Ok(crc32fast::hash(payload) == checksum)
}

/// Length and checksum, if they can be those of a frame. No record is empty, so a stretch of
/// zeros, which some file systems leave behind, is none.
fn plausible(head: &[u8], left: u64) -> Option<(usize, u32)> {
    let word = |at: usize| u32::from_le_bytes(std::array::from_fn(|i| head[at + i]));
    let length = usize::try_from(word(4)).ok()?;
    let fits = (HEAD_BYTES + length) as u64 <= left;
    let sized = (1..=PAYLOAD_BYTES_MAX).contains(&length) && fits;
    (head.starts_with(&MARK) && sized).then(|| (length, word(8)))
}

/// Whether anything behind `at` is a good frame.
fn has_good_frame(from: &mut (impl Read + io::Seek), at: u64, length: u64) -> io::Result<bool> {
    from.seek(SeekFrom::Start(at))?;
    let mut rest = Vec::new();
    from.by_ref().take(SEARCH_BYTES_MAX.min(length.saturating_sub(at))).read_to_end(&mut rest)?;
    let good = |start: usize| {
        let left = (rest.len() - start) as u64;
        let (length, checksum) = plausible(&rest[start..start + HEAD_BYTES], left)?;
        let payload = &rest[start + HEAD_BYTES..start + HEAD_BYTES + length];
        (crc32fast::hash(payload) == checksum).then_some(())
    };
    Ok((0..rest.len().saturating_sub(HEAD_BYTES)).any(|start| good(start).is_some()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// A journal file that holds these payloads.
    fn written(payloads: &[Vec<u8>]) -> Vec<u8> {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("journal");
        let mut frames = Frames::create(&path).unwrap();
        for payload in payloads {
            frames.append(payload).unwrap();
        }
        std::fs::read(path).unwrap()
    }

    fn reread(bytes: &[u8]) -> Result<(Vec<Vec<u8>>, Extent), Unreadable> {
        let mut found = Vec::new();
        let from = io::Cursor::new(bytes);
        let read = read_from(from, bytes.len() as u64, |payload| {
            found.push(payload.to_vec());
            Ok::<(), Unreadable>(())
        })?;
        Ok((found, read))
    }

    fn payloads() -> impl Strategy<Value = Vec<Vec<u8>>> {
        prop::collection::vec(prop::collection::vec(any::<u8>(), 1..200), 0..8)
    }

    proptest! {
        #[test]
        fn what_is_cut_off_anywhere_loses_no_more_than_the_last_record(
            payloads in payloads(), cut in any::<prop::sample::Index>(),
        ) {
            let bytes = written(&payloads);
            let kept = cut.index(bytes.len() + 1);
            let (found, read) = reread(&bytes[..kept]).unwrap();
            prop_assert!(payloads.starts_with(&found));
            prop_assert_eq!(read.end + read.torn, kept as u64);
            let whole = written(&found).len() as u64;
            prop_assert!(read.end == whole || (read.end == 0 && kept < MAGIC.len()));
        }

        #[test]
        fn a_flipped_bit_is_never_read_as_a_record(
            payloads in payloads(), at in any::<prop::sample::Index>(), bit in 0..8_u8,
        ) {
            let mut bytes = written(&payloads);
            let at = at.index(bytes.len());
            bytes[at] ^= 1 << bit;
            match reread(&bytes) {
                // Only the last record can be taken for a torn one.
                Ok((found, _)) => prop_assert!(payloads.len() - found.len() == 1 && payloads.starts_with(&found)),
                Err(Unreadable::Foreign) => prop_assert!(at < MAGIC.len()),
                Err(Unreadable::Damaged(_)) => {}
                Err(Unreadable::Io(error)) => panic!("{error}"),
            }
        }

        #[test]
        fn noise_is_read_without_a_panic(bytes in prop::collection::vec(any::<u8>(), 0..600)) {
            let _ = reread(&bytes);
            let _ = reread(&[MAGIC.as_slice(), &bytes].concat());
        }
    }

    #[test]
    fn after_a_torn_record_the_next_one_takes_its_place() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("journal");
        let mut bytes = written(&[b"one".to_vec(), b"two".to_vec()]);
        bytes.truncate(bytes.len() - 1);
        std::fs::write(&path, &bytes).unwrap();
        let read_ = read::<Unreadable>(&path, |_| Ok(())).unwrap();
        assert_eq!(read_.torn, 14);
        let mut frames = Frames::resume(&path, read_.end).unwrap();
        frames.reserve(100).unwrap();
        frames.append(b"three").unwrap();
        let (found, read_) = reread(&std::fs::read(&path).unwrap()).unwrap();
        assert_eq!((found, read_.torn), (vec![b"one".to_vec(), b"three".to_vec()], 0));
    }

    #[test]
    fn zeros_at_the_end_are_a_torn_record() {
        let mut bytes = written(&[b"one".to_vec()]);
        bytes.extend([0; 5000]);
        let (found, read_) = reread(&bytes).unwrap();
        assert_eq!((found.len(), read_.torn), (1, 5000));
    }
}
