//! The rules that decide, as they are kept in a file.

use std::path::Path;

use serde::{Deserialize, Serialize};

use super::{Evidence, Outlook};
use crate::{Error, ErrorKind, Result};

/// The rules: for a question whose outlook they are true of.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Calibration {
    /// An answer at once would be wrong.
    pub thinking: Rule,
    /// The device should hand it over.
    pub contemplating: Rule,
}

/// True where `bias + sum of weight * feature` is above `threshold`. In that order the weights are of the features that
/// [`Outlook::features`] names, and of the numbers of the hidden state.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Rule {
    /// One for each feature.
    pub weights: [f32; Outlook::FEATURES],
    /// One for each number of the hidden state; none where the rule does without.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub state_weights: Vec<f32>,
    /// Added to their sum.
    pub bias: f32,
    /// What the sum is compared with.
    pub threshold: f32,
}

impl Default for Calibration {
    /// Without a fit: reasoning where the likeliest beginning has less than half of the probability, agents where handing
    /// over has more.
    fn default() -> Self {
        Self {
            thinking: Rule::of_outlook([-1.0, 0.0, 0.0, 0.0, 0.0], 0.5),
            contemplating: Rule::of_outlook([0.0, 0.0, 0.0, 1.0, 0.0], -0.5),
        }
    }
}

impl Calibration {
    /// Reads what [`fit()`](super::fit()) found, in JSON.
    ///
    /// # Errors
    /// [`crate::ErrorKind::Io`], and [`crate::ErrorKind::Malformed`] for anything but two rules of finite numbers.
    pub fn read(path: &Path) -> Result<Self> {
        let text = std::fs::read_to_string(path).map_err(|e| Error::io("read", e));
        text.and_then(|text| Self::parse(&text)).map_err(|e| e.in_file(path))
    }

    /// What [`fit()`](super::fit()) found, from JSON.
    ///
    /// # Errors
    /// [`crate::ErrorKind::Malformed`] for anything but two rules of finite numbers.
    pub fn parse(text: &str) -> Result<Self> {
        let expected = "the rules `thinking` and `contemplating` with weights, bias and threshold";
        let calibration: Self =
            serde_json::from_str(text).map_err(|e| Error::malformed("calibration", e, expected))?;
        if !calibration.rules().iter().all(|rule| rule.is_finite()) {
            return Err(Error::malformed("calibration", "numbers beyond f32", "finite numbers"));
        }
        Ok(calibration)
    }

    /// Whether a rule has weights for the hidden state.
    pub fn needs_state(&self) -> bool {
        self.rules().iter().any(|rule| !rule.state_weights.is_empty())
    }

    /// Refuses rules that were fitted to a model whose hidden state is not `width` long.
    pub(super) fn check(&self, width: usize) -> Result<()> {
        let other = self
            .rules()
            .map(|rule| rule.state_weights.len())
            .into_iter()
            .find(|&len| len != 0 && len != width);
        let Some(found) = other else { return Ok(()) };
        let detail = format!("found rules for a hidden state of {found}, but the model's has {width}");
        Err(Error::new(ErrorKind::Argument, "calibration", detail))
    }

    fn rules(&self) -> [&Rule; 2] {
        [&self.thinking, &self.contemplating]
    }
}

impl Rule {
    /// A rule of these weights that does without the hidden state.
    pub(super) fn of_outlook(weights: [f32; Outlook::FEATURES], bias: f32) -> Self {
        Self { weights, state_weights: Vec::new(), bias, threshold: 0.0 }
    }

    /// How far the sum is above the threshold.
    pub fn score(&self, evidence: &Evidence) -> f32 {
        let weights = self.weights.iter().chain(&self.state_weights);
        let features = evidence.outlook.features().into_iter().chain(evidence.state.iter().copied());
        let sum: f32 = weights.zip(features).map(|(w, x)| w * x).sum();
        sum + self.bias - self.threshold
    }

    fn is_finite(&self) -> bool {
        let numbers = self.weights.iter().chain(&self.state_weights).chain([&self.bias, &self.threshold]);
        numbers.into_iter().all(|number| number.is_finite())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_calibration_is_read_as_it_was_written() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("router.json");
        let mut calibration = Calibration::default();
        calibration.thinking.state_weights = vec![0.5, -1.0];
        let text = serde_json::to_string(&calibration).expect("JSON");
        std::fs::write(&path, &text).expect("room");
        assert_eq!(Calibration::read(&path).expect("what was written"), calibration);
        for wrong in ["", "{}", &text.replace("0.5", "1e99"), &text.replace("bias", "bent")] {
            std::fs::write(&path, wrong).expect("room");
            let error = Calibration::read(&path).expect_err("what nobody wrote");
            assert_eq!((error.kind(), error.path()), (crate::ErrorKind::Malformed, Some(path.as_path())));
        }
    }

    #[test]
    fn rules_of_a_model_of_another_width_are_refused() {
        let mut calibration = Calibration::default();
        assert!(calibration.check(7).is_ok() && !calibration.needs_state());
        calibration.contemplating.state_weights = vec![1.0; 8];
        assert!(calibration.check(8).is_ok() && calibration.needs_state());
        let error = calibration.check(7).expect_err("another width");
        assert_eq!((error.kind(), error.field()), (ErrorKind::Argument, "calibration"));
    }
}
