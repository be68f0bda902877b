//! Cameras, and how they give pictures.

use std::fmt;
use std::path::{Path, PathBuf};

use lorgnette_device::camera::Mode;
use serde::Serialize;

/// All cameras.
#[derive(Serialize)]
#[serde(transparent)]
pub(super) struct Cameras(Vec<Camera>);

/// A camera, or why nobody can say what it is.
#[derive(Serialize)]
struct Camera {
    path: PathBuf,
    #[serde(flatten)]
    found: Found,
}

#[derive(Serialize)]
#[serde(untagged)]
enum Found {
    Camera { name: String, driver: String, bus: String, modes: Vec<Listed>, other_formats: Vec<String> },
    Error { error: String },
}

/// How a camera gives pictures of one size.
#[derive(Serialize)]
struct Listed {
    format: String,
    width: usize,
    height: usize,
    frames_per_second: Vec<f64>,
}

impl Cameras {
    #[cfg(target_os = "linux")]
    pub(super) fn find(devices: &Path) -> Self {
        use lorgnette_device::camera::v4l;
        let found = |listed: v4l::Listed| match listed.camera {
            Ok(camera) => Found::Camera {
                name: camera.name,
                driver: camera.driver,
                bus: camera.bus,
                modes: by_size(&camera.modes),
                other_formats: camera.other_formats,
            },
            Err(error) => Found::Error { error: error.to_string() },
        };
        let camera = |listed: v4l::Listed| Camera { path: listed.path.clone(), found: found(listed) };
        Self(v4l::list(devices).into_iter().map(camera).collect())
    }

    /// Only the cameras of Linux are known so far.
    #[cfg(not(target_os = "linux"))]
    pub(super) fn find(_devices: &Path) -> Self {
        Self(Vec::new())
    }
}

fn by_size(modes: &[Mode]) -> Vec<Listed> {
    let same_size = |a: &Mode, b: &Mode| (a.format, a.width, a.height) == (b.format, b.width, b.height);
    let listed = |modes: &[Mode]| Listed {
        format: modes[0].format.to_string(),
        width: modes[0].width,
        height: modes[0].height,
        frames_per_second: modes.iter().map(|mode| mode.rate.as_f64()).collect(),
    };
    modes.chunk_by(same_size).map(listed).collect()
}

impl fmt::Display for Cameras {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.0.is_empty() {
            return writeln!(f, "  no camera");
        }
        self.0.iter().try_for_each(|camera| camera.fmt(f))
    }
}

impl fmt::Display for Camera {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (name, driver, bus, modes, other_formats) = match &self.found {
            // The error names the path.
            Found::Error { error } => return writeln!(f, "  {error}"),
            Found::Camera { name, driver, bus, modes, other_formats } => {
                (name, driver, bus, modes, other_formats)
            }
        };
        writeln!(f, "  {}  {name} ({driver}, {bus})", self.path.display())?;
        for Listed { format, width, height, frames_per_second } in modes {
            let rounded = |rate: &f64| ((100.0 * rate).round() / 100.0).to_string();
            let rates: Vec<_> = frames_per_second.iter().map(rounded).collect();
            writeln!(f, "    {format}  {width}x{height} at {} fps", rates.join(", "))?;
        }
        if !other_formats.is_empty() {
            writeln!(f, "    not read here: {}", other_formats.join(", "))?;
        }
        Ok(())
    }
}
