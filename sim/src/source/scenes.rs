//! Pictures and the questions that go with them, some of them spoken.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;

use include_dir::{Dir, include_dir};
use serde::{Deserialize, Serialize};

use super::{picture, sound};
use crate::glasses::Shot;
use crate::{Error, ErrorKind, Result};

static BUNDLED: Dir<'_> = include_dir!("$CARGO_MANIFEST_DIR/../models/pico/scenes");

/// Bytes of a file of scenes at most.
const MOST_BYTES: u64 = 64 << 20;

/// Something to look at.
#[derive(Clone, Debug, Serialize)]
pub struct Scene {
    /// As in [`Input::Show`](crate::input::Input::Show).
    pub name: String,
    /// For people.
    pub title: String,
    /// What is seen.
    #[serde(skip)]
    pub shot: Shot,
    /// Questions about it that can be said.
    pub recordings: Vec<Spoken>,
    /// Questions about it that can be typed.
    pub questions: Vec<String>,
}

/// Something that can be said.
#[derive(Clone, Debug, Serialize)]
pub struct Spoken {
    /// As in [`Input::Say`](crate::input::Input::Say).
    pub name: String,
    /// The words.
    pub text: String,
    /// The sound: mono, 16 kHz.
    #[serde(skip)]
    pub samples: Arc<[f32]>,
}

/// Scenes by name.
#[derive(Clone, Debug, Default)]
pub struct Scenes {
    scenes: Vec<Scene>,
    /// Recordings that belong to no scene.
    loose: Vec<Spoken>,
}

/// A question of `scenes.json`: what is shown, what is said, and its words.
#[derive(Deserialize)]
struct Row {
    picture: Option<String>,
    recording: Option<String>,
    text: String,
}

impl Scenes {
    /// Those that come with the program.
    ///
    /// # Errors
    /// As [`Scenes::open`].
    pub fn bundled() -> Result<Self> {
        Self::read(&|name| {
            let file = BUNDLED.get_file(name);
            file.map(|file| file.contents().to_vec()).ok_or_else(|| missing(name))
        })
    }

    /// Those of a folder with a `scenes.json`: an array of `{"picture", "recording", "text"}`, the first two being
    /// names of files beside it, or null.
    ///
    /// # Errors
    /// [`ErrorKind::NotFound`], [`ErrorKind::Io`] or [`ErrorKind::Malformed`], about the file.
    pub fn open(folder: &Path) -> Result<Self> {
        Self::read(&|name| read(&folder.join(name)))
    }

    fn read(file: &dyn Fn(&str) -> Result<Vec<u8>>) -> Result<Self> {
        let rows: Vec<Row> = serde_json::from_slice(&file("scenes.json")?)
            .map_err(|error| Error::new(ErrorKind::Malformed, "scenes.json", error))?;
        let mut scenes = Self::default();
        let mut places = BTreeMap::new();
        for row in rows {
            let place = match &row.picture {
                Some(picture) => Some(*match places.get(picture) {
                    Some(place) => place,
                    None => {
                        scenes.scenes.push(scene(picture, &file(picture)?)?);
                        places.entry(picture.clone()).or_insert(scenes.scenes.len() - 1)
                    }
                }),
                None => None,
            };
            let spoken = match &row.recording {
                Some(name) => Some(spoken(name, &row.text, &file(name)?)?),
                None => None,
            };
            match place {
                Some(place) => {
                    scenes.scenes[place].recordings.extend(spoken);
                    scenes.scenes[place].questions.push(row.text);
                }
                None => scenes.loose.extend(spoken),
            }
        }
        Ok(scenes)
    }

    /// All scenes.
    pub fn iter(&self) -> impl Iterator<Item = &Scene> {
        self.scenes.iter()
    }

    /// Recordings that belong to no scene.
    pub fn loose(&self) -> &[Spoken] {
        &self.loose
    }

    /// The scene of that name.
    ///
    /// # Errors
    /// [`ErrorKind::NotFound`], with the names that there are.
    pub fn scene(&self, name: &str) -> Result<&Scene> {
        let found = self.scenes.iter().find(|scene| scene.name == name);
        found.ok_or_else(|| unknown("scene", name, self.scenes.iter().map(|scene| scene.name.as_str())))
    }

    /// The recording of that name.
    ///
    /// # Errors
    /// As [`Scenes::scene`].
    pub fn spoken(&self, name: &str) -> Result<&Spoken> {
        let all = || self.scenes.iter().flat_map(|scene| &scene.recordings).chain(&self.loose);
        let found = all().find(|spoken| spoken.name == name);
        found.ok_or_else(|| unknown("recording", name, all().map(|spoken| spoken.name.as_str())))
    }

    /// Adds a scene, or puts it in the place of the one of its name.
    pub fn put(&mut self, name: &str, shot: Shot) {
        self.scenes.retain(|scene| scene.name != name);
        self.scenes.push(Scene {
            name: name.to_owned(),
            title: title(name),
            shot,
            recordings: Vec::new(),
            questions: Vec::new(),
        });
    }

    /// Adds a recording that belongs to no scene.
    pub fn put_spoken(&mut self, name: &str, text: &str, samples: Vec<f32>) {
        self.loose.retain(|spoken| spoken.name != name);
        let (name, text) = (name.to_owned(), text.to_owned());
        self.loose.push(Spoken { name, text, samples: samples.into() });
    }
}

fn scene(file: &str, bytes: &[u8]) -> Result<Scene> {
    let name = stem(file);
    let (title, shot) = (title(&name), picture(file, bytes)?);
    Ok(Scene { name, title, shot, recordings: Vec::new(), questions: Vec::new() })
}

fn spoken(file: &str, text: &str, bytes: &[u8]) -> Result<Spoken> {
    Ok(Spoken { name: stem(file), text: text.to_owned(), samples: sound(file, bytes)?.into() })
}

fn stem(file: &str) -> String {
    file.rsplit_once('.').map_or(file, |(stem, _)| stem).to_owned()
}

fn title(name: &str) -> String {
    let words = name.replace(['-', '_'], " ");
    let mut letters = words.chars();
    letters.next().map_or_else(String::new, |first| first.to_uppercase().chain(letters).collect())
}

fn missing(name: &str) -> Error {
    Error::new(ErrorKind::NotFound, name, "there is no such file")
}

fn unknown<'a>(kind: &str, name: &str, known: impl Iterator<Item = &'a str>) -> Error {
    let known = known.collect::<Vec<_>>().join(", ");
    Error::new(ErrorKind::NotFound, kind, format!("found {name:?}, expected one of {known}"))
}

/// A whole file, if it is not larger than such files are.
pub(crate) fn read(path: &Path) -> Result<Vec<u8>> {
    use std::io::Read;
    let about = path.display();
    let mut bytes = Vec::new();
    let file = std::fs::File::open(path).map_err(|error| Error::io(about, "open", &error))?;
    let read = file.take(MOST_BYTES + 1).read_to_end(&mut bytes);
    read.map_err(|error| Error::io(path.display(), "read", &error))?;
    if bytes.len() as u64 > MOST_BYTES {
        return Err(Error::malformed(path.display(), "more bytes", format!("at most {MOST_BYTES}")));
    }
    Ok(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bundled_scenes_can_be_seen_and_heard() {
        let scenes = Scenes::bundled().unwrap();
        assert!(scenes.iter().count() >= 3);
        for scene in scenes.iter() {
            assert!(scene.shot.jpeg().starts_with(&[0xff, 0xd8]), "{}", scene.name);
            assert!(!scene.questions.is_empty());
            assert!(scene.recordings.iter().all(|spoken| spoken.samples.len() > 8_000));
        }
        assert!(scenes.spoken("shelf").is_ok());
        let error = scenes.scene("no such").unwrap_err();
        assert_eq!(error.kind(), ErrorKind::NotFound);
        assert!(error.to_string().contains("shelf"), "{error}");
    }

    #[test]
    fn what_is_no_picture_or_sound_is_refused() {
        for bytes in [&b""[..], b"GIF89a", &[0xff, 0xd8, 0xff, 0xd9]] {
            assert_eq!(picture("dropped", bytes).unwrap_err().kind(), ErrorKind::Malformed);
            assert_eq!(sound("dropped", bytes).unwrap_err().kind(), ErrorKind::Malformed);
        }
    }
}
