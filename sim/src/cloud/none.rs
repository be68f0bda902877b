//! No cloud: this program was built without one.

use std::sync::Arc;

use lorgnette_device::clock::Clock;
use lorgnette_runtime::mode::Mode;

use super::{Allowed, Left};
use crate::Result;
use crate::brain::Brain;

/// There is none.
#[derive(Clone, Debug, Default)]
pub struct Cloud;

/// There is no such mode.
pub fn contemplating() -> Option<Mode> {
    None
}

impl Cloud {
    /// Nobody.
    pub fn is_there(&self) -> bool {
        false
    }

    /// Nothing.
    pub fn allowed(&self) -> Allowed {
        Allowed::default()
    }

    /// Changes nothing.
    pub fn allow(&self, _: Allowed) {}

    /// Changes nothing.
    pub fn set_network(&self, _: bool) {}

    /// The brain as it is.
    ///
    /// # Errors
    /// None.
    pub fn around(&self, brain: Brain, _: Arc<dyn Clock>) -> Result<Brain> {
        Ok(brain)
    }

    /// Nothing.
    pub fn left(&self) -> Left {
        Left::default()
    }

    /// Nothing new.
    ///
    /// # Errors
    /// None.
    pub fn look(&self) -> Result<Option<Left>> {
        Ok(None)
    }
}
