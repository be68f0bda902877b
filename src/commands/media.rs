use std::fs::File;
use std::io::Read;
use std::path::{Path, PathBuf};

use lorgnette_quant::{Error, ErrorKind, Result};
use lorgnette_runtime::model::audio::decode_wav;
use lorgnette_runtime::model::chat_template::Part;
use lorgnette_runtime::model::media::{Detail, Image, Sound};
use lorgnette_runtime::model::vision;

/// Bytes of the largest file that is read: ten minutes of sound at 192 kHz are less.
const MOST_BYTES: u64 = 512 << 20;

/// What is shown and played with the question.
#[derive(clap::Args)]
#[group(skip)]
pub(crate) struct Arguments {
    /// A picture (JPEG, PNG, WebP); several may be given
    #[arg(long = "image", value_name = "FILE")]
    images: Vec<PathBuf>,
    /// Look at pictures in tiles too: more detail, and many times the work
    #[arg(long)]
    tiles: bool,
    /// A sound (WAV); several may be given
    #[arg(long = "audio", value_name = "FILE")]
    sounds: Vec<PathBuf>,
}

impl Arguments {
    pub(crate) fn has_sound(&self) -> bool {
        !self.sounds.is_empty()
    }

    /// Pictures, then sounds.
    pub(crate) fn read(&self) -> Result<Vec<Part>> {
        let detail = if self.tiles { Detail::Tiles } else { Detail::Overview };
        let image = |path: &PathBuf| image(path, detail);
        self.images.iter().map(image).chain(self.sounds.iter().map(|path| sound(path))).collect()
    }
}

/// The picture in a file.
pub(crate) fn image(path: &Path, detail: Detail) -> Result<Part> {
    Ok(Part::Image(Image::new(decoded(path, vision::decode)?).with_detail(detail)))
}

/// The sound in a file.
pub(crate) fn sound(path: &Path) -> Result<Part> {
    Ok(Part::Audio(Sound::new(decoded(path, decode_wav)?)))
}

fn decoded<T>(path: &Path, decode: impl Fn(&[u8]) -> Result<T>) -> Result<T> {
    read(path).and_then(|bytes| decode(&bytes)).map_err(|e| e.in_file(path))
}

fn read(path: &Path) -> Result<Vec<u8>> {
    let mut bytes = Vec::new();
    let file = File::open(path).map_err(|e| Error::io("open", e))?;
    file.take(MOST_BYTES + 1).read_to_end(&mut bytes).map_err(|e| Error::io("read", e))?;
    if bytes.len() as u64 > MOST_BYTES {
        let detail = format!("found more than {MOST_BYTES} bytes, expected at most that");
        return Err(Error::new(ErrorKind::Unsupported, "size", detail));
    }
    Ok(bytes)
}
